import { type Broker } from '../broker/broker.ts';
import { type Signal } from '../broker/signal.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { Multimap } from '../multimap.ts';
import { type Authenticate } from '../tokens/authenticate.ts';
import {
  applyLapses,
  expiryOf,
  closesAt,
  nextChangeAt,
  withRecord,
  type Caller,
  type TokenCaller,
} from '../tokens/caller.ts';
import { subjectsOf, type Restriction } from '../tokens/restriction.ts';
import { isRevoked } from '../tokens/revocation.ts';
import { rightsChanged } from '../tokens/token.ts';
import { DEVELOPMENT_ISSUER } from '../tokens/external-credentials.ts';
import { closeAll, Connection, errorOf, type CloseReason } from './connection.ts';

/** The live connections of this node: opened, re-authenticated, ended by expiry and revocation. */
export interface Connections extends Disposable {
  readonly count: number;
  /**
   * Opens a connection for whoever `who` authenticates. From when this resolves it is online, and feels every change of its token or key.
   * @throws LIMIT_EXCEEDED, TOKEN_REVOKED, TOKEN_EXPIRED, UNAUTHENTICATED, whatever `who` throws
   */
  open(who: () => Promise<Caller>, transport: Connection['transport']): Promise<Connection>;
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
  const byToken = new Multimap<Connection>();
  const timers = new Map<Connection, Disposable[]>();

  function setCaller(connection: Connection, caller: Caller): void {
    if (connection.closed !== undefined) return;
    const current = applyLapses(caller, clock.now());
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

  function applyDue(connection: Connection): void {
    if (connection.closed !== undefined) return;
    if (clock.now() >= connection.expiresAt)
      connection.close(connection.caller.kind === 'TOKEN' ? 'TOKEN_EXPIRED' : 'KEY_ENDED');
    else if (clock.now() >= connection.nextDueAt) changeCaller(connection, connection.caller);
  }

  function armExpiry(connection: Connection, expiresAt: number | undefined): Disposable[] {
    const { caller } = connection;
    if (expiresAt === undefined) return [];
    const end = clock.at(connection.expiresAt, () => applyDue(connection));
    if (caller.kind !== 'TOKEN' || connection.warnedExpiry === expiresAt) return [end];
    const warningSeconds = caller.settings.expiryWarningSeconds ?? config.expiryWarningSeconds;
    if (warningSeconds === 0) return [end];
    const warn = () => {
      connection.warnedExpiry = expiresAt;
      connection.notify({ kind: 'TOKEN_EXPIRING', expiresAt });
    };
    return [end, clock.at(Math.max(clock.now(), expiresAt - warningSeconds * 1000), warn)];
  }

  function armDue(connection: Connection): Disposable[] {
    const { nextDueAt } = connection;
    return nextDueAt === Number.POSITIVE_INFINITY ? [] : [clock.at(nextDueAt, () => applyDue(connection))];
  }

  /** What its caller may do has changed: its streams feel it before this returns. */
  function changeCaller(connection: Connection, caller: Caller): void {
    setCaller(connection, caller);
    connection.reauthorize();
  }

  const ofProject = (projectId: string) =>
    [...all].filter((connection) => connection.projectId === projectId);

  /** The live connections of tokens of the project that `concerns` picks. */
  function ofTokens(projectId: string, concerns: (caller: TokenCaller) => boolean) {
    return ofProject(projectId).flatMap((connection) => {
      const { caller } = connection;
      return caller.kind === 'TOKEN' && concerns(caller) ? [{ connection, caller }] : [];
    });
  }

  function restrict(kind: 'RESTRICTED' | 'RESTRICTION_LIFTED', restriction: Restriction): number {
    const concerned = ofTokens(restriction.projectId, ({ token }) =>
      subjectsOf(token).includes(restriction.subject),
    );
    for (const { connection, caller } of concerned) {
      const others = caller.restrictions.filter((one) => !isSameRestriction(one, restriction));
      // Whom it concerns is told first, while it may still hear of it.
      connection.notify({ kind, restriction });
      const restrictions = kind === 'RESTRICTED' ? [...others, restriction] : others;
      changeCaller(connection, { ...caller, restrictions });
    }
    return concerned.length;
  }

  /** Ends at `endsAt` what was signed with a key: at once, or when it comes to that. */
  function endSigned(
    projectId: string,
    endsAt: number | null,
    isSigned: (caller: TokenCaller) => boolean,
  ): number {
    const concerned = ofTokens(projectId, isSigned);
    if (endsAt !== null && endsAt <= clock.now()) {
      closeAll(
        concerned.map(({ connection }) => connection),
        'KEY_ENDED',
      );
      return concerned.length;
    }
    for (const { connection, caller } of concerned)
      setCaller(connection, { ...caller, credential: { ...caller.credential, keyExpiresAt: endsAt } });
    return concerned.length;
  }

  function register(connection: Connection): void {
    all.add(connection);
    if (connection.caller.kind !== 'TOKEN') return;
    const { id } = connection.caller.token;
    const limit = config.maxConnectionsPerToken;
    if (byToken.countOf(id) >= limit) {
      all.delete(connection);
      throw new SignalboxError('LIMIT_EXCEEDED', `A token may have at most ${limit} live connections.`, {
        limit,
      });
    }
    byToken.add(id, connection);
  }

  function forget(_reason: CloseReason, connection: Connection): void {
    all.delete(connection);
    for (const timer of timers.get(connection) ?? []) timer[Symbol.dispose]();
    timers.delete(connection);
    if (connection.caller.kind === 'TOKEN') {
      const { id } = connection.caller.token;
      byToken.delete(id, connection);
    }
    broker.leases.leave(connection.projectId, connection.id).catch(onFault);
  }

  /** Signals so far that may have changed what somebody may do. */
  let changes = 0;

  function applySignal(signal: Signal): number {
    const affectedConnections = applyToConnections(signal);
    if (affectedConnections === undefined) return 0;
    changes++;
    return affectedConnections;
  }

  /** How many connections felt it; undefined: it is none of theirs. */
  function applyToConnections(signal: Signal): number | undefined {
    switch (signal.kind) {
      case 'TOKEN_REVOKED': {
        const ended = byToken.of(signal.token.id);
        closeAll(ended, 'TOKEN_REVOKED');
        return ended.length;
      }
      case 'TOKEN_UPDATED': {
        const changed = byToken.of(signal.token.id);
        for (const connection of changed) {
          if (connection.caller.kind !== 'TOKEN') continue;
          changeCaller(connection, withRecord(connection.caller, signal.token));
          // To be told so may have been more than its queue could take.
          if (!connection.isOpen(clock.now())) continue;
          broker.leases.join(connection.asMember()).catch(onFault);
          connection.notify({ kind: 'TOKEN_UPDATED' });
        }
        return changed.length;
      }
      case 'TOKENS_REVOKED': {
        const { projectId, revocation } = signal;
        const ended = ofTokens(projectId, ({ token, credential }) =>
          isRevoked(revocation, { ...credential, identity: token.identity }),
        );
        closeAll(
          ended.map(({ connection }) => connection),
          'TOKEN_REVOKED',
        );
        return ended.length;
      }
      case 'RESTRICTED':
      case 'RESTRICTION_LIFTED':
        return restrict(signal.kind, signal.restriction);
      case 'CHANNEL_DELETED': {
        const { projectId, channelId } = signal;
        const isOfIt = (restriction: Restriction) => restriction.channelId === channelId;
        const concerned = ofTokens(projectId, ({ restrictions }) => restrictions.some(isOfIt));
        // Streams hear by themselves that the channel is gone, so there is nothing for them to judge.
        for (const { connection, caller } of concerned)
          setCaller(connection, {
            ...caller,
            restrictions: caller.restrictions.filter((one) => !isOfIt(one)),
          });
        return concerned.length;
      }
      case 'CONNECTION_DISCONNECTED': {
        const found = ofProject(signal.projectId).find(({ id }) => id === signal.connectionId);
        found?.close('DISCONNECTED', signal.note);
        return found ? 1 : 0;
      }
      case 'PROJECT_UPDATED': {
        const { projectId, settings } = signal;
        const concerned = ofProject(projectId);
        const isUnsigned = ({ caller }: Connection) =>
          caller.kind === 'TOKEN' && caller.credential.issuerId === DEVELOPMENT_ISSUER;
        if (!settings.developmentTokens) closeAll(concerned.filter(isUnsigned), 'KEY_ENDED');
        for (const connection of concerned) {
          const { caller } = connection;
          if (caller.kind !== 'API_KEY' && connection.isOpen(clock.now()))
            changeCaller(connection, { ...caller, settings });
        }
        return concerned.length;
      }
      case 'ISSUER_CHANGED': {
        const { projectId, issuerId, keyId, endsAt } = signal;
        return endSigned(
          projectId,
          endsAt,
          ({ credential }) =>
            credential.rights !== null &&
            credential.issuerId === issuerId &&
            (keyId === null || credential.keyId === keyId),
        );
      }
      case 'API_KEY_CHANGED': {
        const { apiKey } = signal;
        const holders = [...all].filter(
          ({ caller }) => caller.kind === 'API_KEY' && caller.apiKey.id === apiKey.id,
        );
        if (apiKey.revokedAt !== null) closeAll(holders, 'KEY_ENDED');
        for (const connection of holders)
          setCaller(connection, { kind: 'API_KEY', projectId: signal.projectId, apiKey });
        const endsAt = apiKey.revokedAt ?? apiKey.expiresAt;
        const signed = endSigned(
          signal.projectId,
          endsAt,
          ({ credential }) => credential.keyId === apiKey.id,
        );
        return holders.length + signed;
      }
      default:
        return undefined;
    }
  }

  /** What `read` says, if no signal came meanwhile: a signal knows better than rows that were read before it. */
  async function readUntilStable<T>(connection: Connection, read: () => Promise<T>): Promise<T> {
    for (;;) {
      const { caller } = connection;
      const before = changes;
      const found = await read();
      if (connection.caller === caller && changes === before) return found;
    }
  }

  const listening = broker.listen({ applySignal });

  return {
    get count() {
      return all.size;
    },
    async open(who, transport) {
      const before = changes;
      const caller = await who();
      const connection = new Connection({
        id: newId('conn'),
        nodeId,
        caller,
        transport,
        openedAt: clock.now(),
        applyDue,
      });
      register(connection);
      connection.onClose(forget);
      try {
        // From here on signals reach it. What it is was read before: once more, if one came in between.
        if (changes === before) setCaller(connection, caller);
        else {
          const current = await readUntilStable(connection, () => authenticate.refresh(caller));
          if (connection.closed === undefined) setCaller(connection, current);
        }
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
      const { caller: current } = connection;
      const caller = await authenticate.credential(credential, connection.projectId);
      if (caller.kind !== 'TOKEN' || current.kind !== 'TOKEN' || caller.token.id !== current.token.id) {
        throw new SignalboxError(
          'FORBIDDEN',
          'The credential is of another token; open another connection for it.',
        );
      }
      const latest = await readUntilStable(connection, () => authenticate.refresh(caller));
      if (connection.closed !== undefined || latest.kind !== 'TOKEN') return;
      changeCaller(connection, latest);
      if (!connection.isOpen(clock.now())) return;
      if (!rightsChanged(current.token, latest.token)) return;
      await broker.leases.join(connection.asMember());
      connection.notify({ kind: 'TOKEN_UPDATED' });
    },
    drain() {
      closeAll(all, 'DRAINING');
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  };
}

function isSameRestriction(one: Restriction, other: Restriction): boolean {
  return one.kind === other.kind && one.subject === other.subject && one.channelId === other.channelId;
}
