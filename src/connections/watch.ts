import { type Broker } from '../broker/broker.ts';
import { type Signal } from '../broker/signal.ts';
import { Multimap } from '../multimap.ts';

/** What can be watched: a channel, the memberships of a token, who is in a channel, what is said to one connection. */
export type WatchKind = 'channel' | 'memberships' | 'presence' | 'connection';

/** In place of a channel’s id: all of them. No channel is called so. */
export const EVERY_CHANNEL = '*';

/** Sees signals. Must neither wait nor throw. */
export interface Watcher {
  see(signal: Signal): void;
}

/** Hands each signal to those whom it concerns. */
export interface Watch extends Disposable {
  /** Until removed, the watcher sees every signal about `id`. */
  add(kind: WatchKind, projectId: string, id: string, watcher: Watcher): void;
  remove(kind: WatchKind, projectId: string, id: string, watcher: Watcher): void;
  /** Until disposed, `see` is called with every signal about `id`. It must neither wait nor throw. */
  on(kind: WatchKind, projectId: string, id: string, see: (signal: Signal) => void): Disposable;
}

export function createWatch({
  broker,
  onFault,
}: {
  broker: Broker;
  onFault: (error: unknown) => void;
}): Watch {
  const watchers = new Multimap<Watcher>();
  const listening = broker.listen({
    signal(signal) {
      let concerned = 0;
      for (const key of keysOfSignal(signal)) {
        // A copy, for some begin to watch as they see it; asked again, for others are made to stop by what one does.
        for (const watcher of watchers.of(key)) {
          if (!watchers.has(key, watcher)) continue;
          concerned++;
          try {
            watcher.see(signal);
          } catch (error) {
            onFault(error);
          }
        }
      }
      return concerned;
    },
  });

  const add: Watch['add'] = (kind, projectId, id, watcher) =>
    watchers.add(keyOf(kind, projectId, id), watcher);
  const remove: Watch['remove'] = (kind, projectId, id, watcher) =>
    void watchers.delete(keyOf(kind, projectId, id), watcher);

  return {
    add,
    remove,
    on(kind, projectId, id, see) {
      const watcher = { see };
      add(kind, projectId, id, watcher);
      return { [Symbol.dispose]: () => remove(kind, projectId, id, watcher) };
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  };
}

const keyOf = (kind: WatchKind, projectId: string, id: string) => `${projectId}\n${kind}\n${id}`;

const keysOfChannel = (projectId: string, id: string) => [
  keyOf('channel', projectId, id),
  keyOf('channel', projectId, EVERY_CHANNEL),
];

function keysOfSignal(signal: Signal): string[] {
  switch (signal.kind) {
    case 'CHANNEL_UPDATED':
    case 'CHANNEL_STATE_UPDATED':
      return keysOfChannel(signal.projectId, signal.channel.id);
    case 'CHANNEL_DELETED':
      return keysOfChannel(signal.projectId, signal.channelId);
    case 'MEMBERSHIP_BEGAN':
      return [keyOf('memberships', signal.projectId, signal.membership.tokenId)];
    case 'MEMBERSHIP_ENDED':
      return [keyOf('memberships', signal.projectId, signal.tokenId)];
    case 'PRESENCE_CHANGED':
      return [keyOf('presence', signal.projectId, signal.change.channelId)];
    case 'CONNECTION_SIGNALLED':
      return [keyOf('connection', signal.projectId, signal.connectionId)];
    case 'PROJECT_UPDATED':
    case 'TOKEN_UPDATED':
    case 'TOKEN_REVOKED':
    case 'TOKENS_REVOKED':
    case 'RESTRICTED':
    case 'RESTRICTION_LIFTED':
    case 'API_KEY_CHANGED':
    case 'ISSUER_CHANGED':
    case 'CONNECTION_DISCONNECTED':
      return [];
  }
}
