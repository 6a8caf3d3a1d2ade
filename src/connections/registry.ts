import { type Broker } from '../broker/broker.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { forbidden, limitExceeded, unauthenticated, unavailable } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { Multimap } from '../multimap.ts';
import { type Authenticate } from '../tokens/authenticate.ts';
import { applyLapses, closesAt, expiryOf, nextChangeAt, type Caller } from '../tokens/caller.ts';
import { rightsChanged } from '../tokens/token.ts';
import { createApplySignal } from './apply-signal.ts';
import { type RightsWatches } from './rights-watch.ts';
import { closeAll } from './close-all.ts';
import { errorOf, type CloseReason } from './close-reason.ts';
import { Connection } from './connection.ts';
import { createLapses } from './lapses.ts';

/** What happened to a connection. */
export interface ConnectionChange {
  /** `renew`: its credential was replaced by another one of the same token. */
  action: 'connection.open' | 'connection.renew' | 'connection.close';
  connection: Connection;
  /** Set when it was closed. */
  reason?: CloseReason;
}

/** The live connections of this node. Expiry and the signals of the broker close or update them. */
export interface Connections extends Disposable {
  readonly count: number;
  /** The live connections of this node, by id. */
  readonly byId: ReadonlyMap<string, Connection>;
  /** The live connections of a token on this node. */
  ofToken(tokenId: string): readonly Connection[];
  /** The numbers of live connections of this node by project; projects without any are absent. */
  readonly countByProject: ReadonlyMap<string, number>;
  /**
   * Opens a connection. Once this resolves, the connection is online and follows every change of its token or key.
   * @param authenticateCaller returns the authenticated caller of the connection
   * @throws LIMIT_EXCEEDED when the token has too many connections
   * @throws TOKEN_REVOKED, TOKEN_EXPIRED, UNAUTHENTICATED when the credential becomes invalid while the connection opens
   * @throws UNAUTHENTICATED when the caller is anonymous and the project takes neither anonymous callers nor guests
   * @throws the errors of `authenticateCaller`
   */
  open(authenticateCaller: () => Promise<Caller>, transport: Connection['transport']): Promise<Connection>;
  /**
   * Replaces the credential of a live connection by another credential of the same token.
   * @throws FORBIDDEN for another token, and the errors of `Authenticate`
   */
  reauthenticate(connection: Connection, credential: string): Promise<void>;
  /** Closes all connections with DRAINING, in slices. Resolves when all are closed. */
  drain(): Promise<void>;
}

/** How often the rights of a caller are read before the node gives up, because a signal arrived during each read. */
const MAX_READS = 20;

export function createConnections(deps: {
  broker: Broker;
  authenticate: Pick<Authenticate, 'credential' | 'refresh'>;
  rights: RightsWatches;
  clock: Clock;
  newId: NewId;
  config: Config;
  nodeId: string;
  /** Called after each change of a connection. Must not throw. */
  onChange: (change: ConnectionChange) => void;
  onFault: (error: unknown) => void;
}): Connections {
  const { broker, authenticate, rights, clock, newId, config, nodeId, onChange, onFault } = deps;
  const byId = new Map<string, Connection>();
  const byToken = new Multimap<Connection>();
  const timers = new Map<Connection, Disposable[]>();
  const countByProject = new Map<string, number>();
  const lapses = createLapses({
    clock,
    reapply: (connection) => changeCaller(connection, connection.caller),
    onFault,
  });

  function setCaller(connection: Connection, given: Caller): void {
    if (connection.closed !== undefined) return;
    const caller = lapses.before(connection, given);
    const current = applyLapses(caller, clock.now());
    lapses.remember(connection, caller, current);
    const expiresAt = expiryOf(current);
    connection.caller = current;
    if (connection.warnedExpiry !== expiresAt) connection.warnedExpiry = undefined;
    connection.expiresAt = closesAt(current);
    connection.nextDueAt = nextChangeAt(current);
    for (const timer of timers.get(connection) ?? []) timer[Symbol.dispose]();
    const armed = [...armExpiry(connection, expiresAt), ...armDue(connection)];
    if (armed.length > 0) timers.set(connection, armed);
    else timers.delete(connection);
  }

  function changeCaller(connection: Connection, caller: Caller): void {
    setCaller(connection, caller);
    connection.reauthorize();
  }

  function applyDue(connection: Connection): void {
    if (connection.closed !== undefined) return;
    if (clock.now() >= connection.expiresAt)
      connection.close(connection.caller.kind === 'TOKEN' ? 'TOKEN_EXPIRED' : 'KEY_ENDED');
    else if (clock.now() >= connection.nextDueAt) changeCaller(connection, connection.caller);
  }

  /** Arms the timers that warn of the expiry and that close the connection. */
  function armExpiry(connection: Connection, expiresAt: number | undefined): Disposable[] {
    const { caller } = connection;
    if (expiresAt === undefined) return [];
    const close = clock.at(connection.expiresAt, () => applyDue(connection));
    if (caller.kind !== 'TOKEN' || connection.warnedExpiry === expiresAt) return [close];
    const warningSeconds = caller.settings.expiryWarningSeconds ?? config.expiryWarningSeconds;
    if (warningSeconds === 0) return [close];
    const warn = () => {
      connection.warnedExpiry = expiresAt;
      connection.notify({ kind: 'TOKEN_EXPIRING', expiresAt });
    };
    return [close, clock.at(Math.max(clock.now(), expiresAt - warningSeconds * 1000), warn)];
  }

  /** Arms the timer that drops the next grant or restriction to lapse. */
  function armDue(connection: Connection): Disposable[] {
    const { nextDueAt } = connection;
    return nextDueAt === Number.POSITIVE_INFINITY ? [] : [clock.at(nextDueAt, () => applyDue(connection))];
  }

  function add(connection: Connection): void {
    const { projectId } = connection;
    byId.set(connection.id, connection);
    countByProject.set(projectId, (countByProject.get(projectId) ?? 0) + 1);
  }

  function remove(connection: Connection): void {
    const { projectId } = connection;
    if (!byId.delete(connection.id)) return;
    const others = (countByProject.get(projectId) ?? 1) - 1;
    if (others > 0) countByProject.set(projectId, others);
    else countByProject.delete(projectId);
  }

  function register(connection: Connection): void {
    add(connection);
    if (connection.caller.kind !== 'TOKEN') return;
    const { id } = connection.caller.token;
    try {
      requireBelowLimit(connection.caller, byToken.countOf(id));
    } catch (error) {
      connection.close('CLIENT_LEFT');
      throw error;
    }
    byToken.add(id, connection);
  }

  /** @param others the other live connections of the caller's token */
  function requireBelowLimit(caller: Caller, others: number): void {
    const limit = config.maxConnectionsPerToken;
    if (caller.kind === 'TOKEN' && others >= limit)
      throw limitExceeded(limit, `A token may have at most ${limit} live connections.`);
  }

  function unregister(connection: Connection): void {
    remove(connection);
    for (const timer of timers.get(connection) ?? []) timer[Symbol.dispose]();
    timers.delete(connection);
    lapses.forget(connection);
    if (connection.caller.kind === 'TOKEN') byToken.delete(connection.caller.token.id, connection);
    broker.leases.removeConnection(connection.projectId, connection.id).catch(onFault);
  }

  function reportClose(reason: CloseReason, connection: Connection): void {
    onChange({ action: 'connection.close', connection, reason });
  }

  /** Counts the signals that may have changed the rights of a caller. */
  let changes = 0;
  const applyToConnections = createApplySignal({
    live: { byId, ofToken: (tokenId) => byToken.of(tokenId), setCaller, changeCaller },
    broker,
    clock,
    onFault,
  });
  const subscription = broker.listen({
    applySignal(signal) {
      const affectedConnections = applyToConnections(signal);
      if (affectedConnections === undefined) return 0;
      changes++;
      return affectedConnections;
    },
    reset() {
      changes++;
      void closeAll(byId.values(), 'DRAINING', onFault);
    },
  });

  /**
   * Repeats `read` until no signal about the caller arrives during it: a signal is newer than the rows that were read before it.
   * @throws UNAVAILABLE after MAX_READS
   */
  async function readUntilStable<T>(connection: Connection, read: () => Promise<T>): Promise<T> {
    for (let count = 1; count <= MAX_READS; count++) {
      const { caller } = connection;
      const watch = rights.begin(caller);
      try {
        const result = await read();
        if (connection.caller === caller && !watch.hasChanged) return result;
      } finally {
        watch[Symbol.dispose]();
      }
    }
    throw unavailable('The rights of the caller change faster than they can be read. Try again.');
  }

  return {
    get count() {
      return byId.size;
    },
    byId,
    countByProject,
    ofToken: (tokenId) => byToken.of(tokenId),
    async open(authenticateCaller, transport) {
      const changesBefore = changes;
      const caller = await authenticateCaller();
      if (isRefusedAnonymous(caller)) throw anonymousRefused();
      const following = await broker.follow(caller.projectId);
      const connection = new Connection({
        id: newId('conn'),
        nodeId,
        caller,
        transport,
        openedAt: clock.now(),
        applyDue,
      });
      connection.onClose(() => {
        following[Symbol.dispose]();
        unregister(connection);
      });
      register(connection);
      try {
        // Signals reach the connection from here on. If one arrived during authentication, read the caller again.
        if (changes === changesBefore) setCaller(connection, caller);
        else {
          const current = await readUntilStable(connection, () => authenticate.refresh(caller));
          if (connection.closed === undefined) setCaller(connection, current);
        }
        const limit = config.maxConnectionsPerToken;
        const connections = await broker.leases.addConnection(connection.asMember(), limit);
        requireBelowLimit(connection.caller, connections - 1);
        connection.applyDue();
      } catch (error) {
        connection.close('CLIENT_LEFT');
        throw error;
      }
      if (connection.closed !== undefined) {
        await broker.leases.removeConnection(connection.projectId, connection.id);
        throw (
          errorOf(connection.closed) ?? unavailable('The connection was closed while it was being opened.')
        );
      }
      onChange({ action: 'connection.open', connection });
      connection.onClose(reportClose);
      return connection;
    },
    async reauthenticate(connection, credential) {
      const { caller: current } = connection;
      const caller = await authenticate.credential(credential, connection.projectId);
      if (caller.kind !== 'TOKEN' || current.kind !== 'TOKEN' || caller.token.id !== current.token.id) {
        throw forbidden('The credential belongs to another token. Open a new connection with it.');
      }
      const latest = await readUntilStable(connection, () => authenticate.refresh(caller));
      if (connection.closed !== undefined || latest.kind !== 'TOKEN') return;
      changeCaller(connection, latest);
      if (!connection.isOpen(clock.now())) return;
      onChange({ action: 'connection.renew', connection });
      if (!rightsChanged(current.token, latest.token)) return;
      await broker.leases.addConnection(connection.asMember());
      connection.notify({ kind: 'TOKEN_UPDATED' });
    },
    async drain() {
      await closeAll(byId.values(), 'DRAINING', onFault);
    },
    [Symbol.dispose]() {
      lapses[Symbol.dispose]();
      subscription[Symbol.dispose]();
    },
  };
}

/** Guests are anonymous until they have created their token. */
function isRefusedAnonymous(caller: Caller): boolean {
  return caller.kind === 'ANONYMOUS' && !caller.settings.anonymous && !caller.settings.guests;
}

function anonymousRefused() {
  return unauthenticated(
    'The project takes no anonymous connections. Send a token or an API key when you connect.',
  );
}
