import { type Broker } from '../broker/broker.ts';
import { type Signal } from '../broker/signal.ts';
import { Multimap } from '../multimap.ts';

/** What can be watched: a channel, the memberships of a token, who is in a channel, what is said to one connection. */
export type RouteKind = 'channel' | 'memberships' | 'presence' | 'connection';

/** In place of a channel’s id: all of them. No channel is called so. */
export const EVERY_CHANNEL = '*';

/** Sees signals. Must neither wait nor throw. */
export interface SignalHandler {
  onSignal(signal: Signal): void;
}

/** Hands each signal to those whom it concerns. */
export interface SignalRouter extends Disposable {
  /** Until removed, the handler sees every signal about `id`. */
  add(kind: RouteKind, projectId: string, id: string, handler: SignalHandler): void;
  remove(kind: RouteKind, projectId: string, id: string, handler: SignalHandler): void;
  /** Until disposed, `onSignal` is called with every signal about `id`. It must neither wait nor throw. */
  on(kind: RouteKind, projectId: string, id: string, onSignal: (signal: Signal) => void): Disposable;
}

export function createSignalRouter({
  broker,
  onFault,
}: {
  broker: Broker;
  onFault: (error: unknown) => void;
}): SignalRouter {
  const handlers = new Multimap<SignalHandler>();
  const listening = broker.listen({
    applySignal(signal) {
      let concerned = 0;
      for (const key of keysOfSignal(signal)) {
        // A copy, for some begin to watch as they onSignal it; asked again, for others are made to stop by what one does.
        for (const handler of handlers.of(key)) {
          if (!handlers.has(key, handler)) continue;
          concerned++;
          try {
            handler.onSignal(signal);
          } catch (error) {
            onFault(error);
          }
        }
      }
      return concerned;
    },
  });

  const add: SignalRouter['add'] = (kind, projectId, id, handler) =>
    handlers.add(keyOf(kind, projectId, id), handler);
  const remove: SignalRouter['remove'] = (kind, projectId, id, handler) =>
    void handlers.delete(keyOf(kind, projectId, id), handler);

  return {
    add,
    remove,
    on(kind, projectId, id, onSignal) {
      const handler = { onSignal };
      add(kind, projectId, id, handler);
      return { [Symbol.dispose]: () => remove(kind, projectId, id, handler) };
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  };
}

const keyOf = (kind: RouteKind, projectId: string, id: string) => `${projectId}\n${kind}\n${id}`;

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
