import { type Broker } from '../broker/broker.ts';
import { type Signal } from '../broker/signal.ts';
import { type Connection } from '../connections/connection.ts';
import { flatKey } from '../flat-key.ts';
import { Multimap } from '../multimap.ts';
import { inSlices } from '../slices.ts';

/**
 * The subject of a route: a channel (by channel id), the memberships of a token (by token id), the presence of a channel
 * (by channel id), or the signals to one connection (by connection id).
 */
export type RouteKind = 'channel' | 'memberships' | 'presence' | 'connection';

/** Routes the signals of all channels when used as a channel id. Not a valid channel id itself. */
export const EVERY_CHANNEL = '*';

export interface SignalReceiver {
  /** Must neither block nor throw. */
  onSignal(signal: Signal): void;
}

export interface SignalHandler extends SignalReceiver {
  readonly connection: Connection;
}

/** Routes each signal to the handlers that are registered for its subject. */
export interface SignalRouter extends Disposable {
  /** Routes the signals about `id` to the handler until it is removed. */
  add(kind: RouteKind, projectId: string, id: string, handler: SignalHandler): void;
  remove(kind: RouteKind, projectId: string, id: string, handler: SignalHandler): void;
  /** Like `add`, until the returned value is disposed. */
  on(kind: RouteKind, connection: Connection, id: string, receiver: SignalReceiver): Disposable;
}

/**
 * Signals whose handlers end or begin subscriptions, which is too much for one turn of the event loop if there are thousands.
 * Every other signal is one delivery for each handler, like a message.
 */
const HANDLED_IN_SLICES: ReadonlySet<Signal['kind']> = new Set<Signal['kind']>([
  'CHANNEL_UPDATED',
  'CHANNEL_DELETED',
  'MEMBERSHIP_BEGAN',
  'MEMBERSHIP_ENDED',
]);

export function createSignalRouter({
  broker,
  onFault,
}: {
  broker: Broker;
  onFault: (error: unknown) => void;
}): SignalRouter {
  const handlers = new Multimap<SignalHandler>();
  const subscription = broker.listen({
    applySignal(signal) {
      // A handler may add and remove handlers, so the routes are a copy, and handlers removed in the meantime are skipped.
      const routes = keysOfSignal(signal).flatMap((key) =>
        handlers.of(key).map((handler) => ({ key, handler })),
      );
      const handle = ({ key, handler }: (typeof routes)[number]) => {
        if (handlers.has(key, handler)) handler.onSignal(signal);
      };
      if (!HANDLED_IN_SLICES.has(signal.kind)) {
        for (const route of routes) {
          try {
            handle(route);
          } catch (error) {
            onFault(error);
          }
        }
        return routes.length;
      }
      for (const route of routes) route.handler.connection.defer(() => handle(route));
      const handled = inSlices(routes, ({ handler }) => handler.connection.applyDue(), onFault);
      return handled ? handled.then(() => routes.length) : routes.length;
    },
  });

  const add: SignalRouter['add'] = (kind, projectId, id, handler) =>
    handlers.add(keyOf(kind, projectId, id), handler);
  const remove: SignalRouter['remove'] = (kind, projectId, id, handler) =>
    void handlers.delete(keyOf(kind, projectId, id), handler);

  return {
    add,
    remove,
    on(kind, connection, id, receiver) {
      const route = new Route(remove, kind, connection, id, receiver);
      add(kind, connection.projectId, id, route);
      return route;
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

const keyOf = (kind: RouteKind, projectId: string, id: string) => flatKey(projectId, kind, id);

/** A single object without closures, because each connection has several routes. */
class Route implements SignalHandler, Disposable {
  readonly #remove: SignalRouter['remove'];
  readonly #kind: RouteKind;
  readonly connection: Connection;
  readonly #id: string;
  readonly #receiver: SignalReceiver;

  constructor(
    remove: SignalRouter['remove'],
    kind: RouteKind,
    connection: Connection,
    id: string,
    receiver: SignalReceiver,
  ) {
    this.#remove = remove;
    this.#kind = kind;
    this.connection = connection;
    this.#id = id;
    this.#receiver = receiver;
  }

  onSignal(signal: Signal): void {
    this.#receiver.onSignal(signal);
  }

  [Symbol.dispose](): void {
    this.#remove(this.#kind, this.connection.projectId, this.#id, this);
  }
}

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
    case 'CONNECTION_MESSAGE':
      return [keyOf('connection', signal.projectId, signal.connectionId)];
    case 'PROJECT_UPDATED':
    case 'TOKEN_UPDATED':
    case 'TOKEN_REVOKED':
    case 'TOKENS_REVOKED':
    case 'RESTRICTED':
    case 'RESTRICTION_LIFTED':
    case 'API_KEY_CHANGED':
    case 'ISSUER_CHANGED':
    case 'SIGNING_KEYS_ROTATED':
    case 'CONNECTION_DISCONNECTED':
      return [];
  }
}
