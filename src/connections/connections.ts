import { type Broker } from '../broker/broker.ts';
import { type Signal } from '../broker/signal.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { type Authenticate } from '../tokens/authenticate.ts';
import { expiryOf, type Caller } from '../tokens/caller.ts';
import { Connection, errorOf } from './connection.ts';

/** The live connections of this node: opened, re-authenticated, ended by expiry and revocation. */
export interface Connections extends Disposable {
  readonly count: number;
  /**
   * From when this resolves the connection is online, and feels every change of its token or key.
   * @throws LIMIT_EXCEEDED, TOKEN_REVOKED, TOKEN_EXPIRED, UNAUTHENTICATED
   */
  open(caller: Caller, transport: Connection['transport']): Promise<Connection>;
  /**
   * Takes a new credential of the same token. @throws FORBIDDEN for another token, and what `Authenticate` throws.
   */
  reauthenticate(connection: Connection, credential: string): Promise<void>;
  /** Ends all of them. */
  drain(): void;
}

export function createConnections(parts: {
  broker: Broker;
  authenticate: Authenticate;
  clock: Clock;
  newId: NewId;
  config: Config;
  nodeId: string;
  onFault: (error: unknown) => void;
}): Connections {
  const { broker, authenticate, clock, newId, config, nodeId, onFault } = parts;
  const all = new Set<Connection>();
  const byToken = new Map<string, Set<Connection>>();
  const timers = new Map<Connection, Disposable[]>();

  function adopt(connection: Connection, caller: Caller): void {
    connection.caller = caller;
    connection.isExpiring = false;
    connection.expiresAt = expiryOf(caller) ?? Number.POSITIVE_INFINITY;
    for (const timer of timers.get(connection) ?? []) timer[Symbol.dispose]();
    timers.set(connection, arm(connection));
  }

  function arm(connection: Connection): Disposable[] {
    const { expiresAt, caller } = connection;
    if (expiresAt === Number.POSITIVE_INFINITY) return [];
    const end = clock.at(expiresAt, () =>
      connection.close(caller.kind === 'TOKEN' ? 'TOKEN_EXPIRED' : 'KEY_ENDED'),
    );
    if (caller.kind !== 'TOKEN' || config.expiryWarningSeconds === 0) return [end];
    const warn = () => {
      connection.isExpiring = true;
      connection.notify({ kind: 'TOKEN_EXPIRING', expiresAt });
    };
    return [end, clock.at(Math.max(clock.now(), expiresAt - config.expiryWarningSeconds * 1000), warn)];
  }

  function register(connection: Connection): void {
    all.add(connection);
    if (connection.caller.kind !== 'TOKEN') return;
    const { id } = connection.caller.token;
    const siblings = byToken.get(id) ?? new Set();
    const limit = config.maxConnectionsPerToken;
    if (siblings.size >= limit) {
      all.delete(connection);
      throw new SignalboxError('LIMIT_EXCEEDED', `A token may have at most ${limit} live connections.`, {
        limit,
      });
    }
    byToken.set(id, siblings.add(connection));
  }

  function forget(connection: Connection): void {
    all.delete(connection);
    for (const timer of timers.get(connection) ?? []) timer[Symbol.dispose]();
    timers.delete(connection);
    if (connection.caller.kind === 'TOKEN') {
      const { id } = connection.caller.token;
      const siblings = byToken.get(id);
      if (siblings?.delete(connection) && siblings.size === 0) byToken.delete(id);
    }
    broker.leases.leave(connection.projectId, connection.id).catch(onFault);
  }

  function signal(signal: Signal): number {
    switch (signal.kind) {
      case 'TOKEN_REVOKED': {
        const ended = [...(byToken.get(signal.token.id) ?? [])];
        for (const connection of ended) connection.close('TOKEN_REVOKED');
        return ended.length;
      }
      case 'TOKEN_UPDATED': {
        const changed = byToken.get(signal.token.id) ?? new Set();
        for (const connection of changed) {
          adopt(connection, { kind: 'TOKEN', projectId: signal.projectId, token: signal.token });
          broker.leases.join(connection.asMember()).catch(onFault);
          connection.judge();
          connection.notify({ kind: 'TOKEN_UPDATED' });
        }
        return changed.size;
      }
      case 'API_KEY_CHANGED': {
        const { apiKey } = signal;
        const holders = [...all].filter(
          ({ caller }) => caller.kind === 'API_KEY' && caller.apiKey.id === apiKey.id,
        );
        for (const connection of holders) {
          if (apiKey.revokedAt !== null) connection.close('KEY_ENDED');
          else adopt(connection, { kind: 'API_KEY', projectId: signal.projectId, apiKey });
        }
        return holders.length;
      }
      default:
        return 0;
    }
  }

  const listening = broker.listen({ message: () => 0, signal });

  return {
    get count() {
      return all.size;
    },
    async open(caller, transport) {
      const connection = new Connection({
        id: newId('conn'),
        nodeId,
        caller,
        transport,
        openedAt: clock.now(),
      });
      register(connection);
      connection.onClose(() => forget(connection));
      try {
        const current = await authenticate.refresh(caller);
        // A signal that came in the meantime knows better than the row that was read before it.
        if (connection.caller === caller && connection.closed === undefined) adopt(connection, current);
        await broker.leases.join(connection.asMember());
      } catch (error) {
        connection.close('CLIENT_LEFT');
        throw error;
      }
      if (connection.closed !== undefined) {
        await broker.leases.leave(connection.projectId, connection.id);
        throw (
          errorOf(connection.closed) ?? new SignalboxError('UNAVAILABLE', 'The connection ended as it began.')
        );
      }
      return connection;
    },
    async reauthenticate(connection, credential) {
      const current = connection.caller;
      const caller = await authenticate.credential(credential);
      if (caller.kind !== 'TOKEN' || current.kind !== 'TOKEN' || caller.token.id !== current.token.id) {
        throw new SignalboxError(
          'FORBIDDEN',
          'The credential is of another token; open another connection for it.',
        );
      }
      // A signal that came in the meantime knows better than the row that was read before it.
      if (connection.caller === current && connection.closed === undefined) adopt(connection, caller);
      connection.judge();
    },
    drain() {
      for (const connection of [...all]) connection.close('DRAINING');
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  };
}
