import { type Broker } from '../broker/broker.ts';
import { type Signal } from '../broker/signal.ts';
import { type Clock } from '../clock.ts';
import { type ApiKey } from '../projects/api-key.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { withRecord, type Caller, type TokenCaller } from '../tokens/caller.ts';
import { DEVELOPMENT_ISSUER } from '../tokens/external-credentials.ts';
import { subjectsOf, type Restriction } from '../tokens/restriction.ts';
import { inSlices } from '../slices.ts';
import { isRevoked } from '../tokens/revocation.ts';
import { type Token } from '../tokens/token.ts';
import { closeAll } from './close-all.ts';
import { type CloseReason } from './close-reason.ts';
import { type Connection } from './connection.ts';

/** The live connections of this node and the functions that change them. */
export interface LiveConnections {
  readonly byId: ReadonlyMap<string, Connection>;
  ofToken(tokenId: string): Connection[];
  /** Replaces the caller and its timers. */
  setCaller(connection: Connection, caller: Caller): void;
  /** Replaces the caller and reauthorizes the streams of the connection. */
  changeCaller(connection: Connection, caller: Caller): void;
}

/** The number of affected connections; a promise if some of them have not been notified yet. */
type Affected = number | Promise<number>;

/**
 * Applies a signal: it takes effect before this returns, and the connections are notified in slices. Undefined: not a signal
 * for connections.
 */
export type ApplySignal = (signal: Signal) => Affected | undefined;

/** Creates the function that applies each signal of the broker to the live connections. */
export function createApplySignal(deps: {
  live: LiveConnections;
  broker: Broker;
  clock: Clock;
  onFault: (error: unknown) => void;
}): ApplySignal {
  const { live, broker, clock, onFault } = deps;

  const ofProject = (projectId: string) =>
    [...live.byId.values()].filter((connection) => connection.projectId === projectId);

  /** The live connections of the project with a token caller that matches. */
  const ofTokens = (projectId: string, matches: (caller: TokenCaller) => boolean) =>
    ofProject(projectId).filter(({ caller }) => caller.kind === 'TOKEN' && matches(caller));

  /** Runs `work` for each connection, in slices. A connection that is used before its turn runs it first; see `Connection.defer`. */
  function applyToEach(affected: readonly Connection[], work: (connection: Connection) => void): Affected {
    for (const connection of affected) connection.defer(() => work(connection));
    const applied = inSlices(affected, (connection) => connection.applyDue(), onFault);
    return applied ? applied.then(() => affected.length) : affected.length;
  }

  /** Like `applyToEach`, for connections of tokens. `work` gets the caller of that moment, as other signals may change it. */
  const applyToTokens = (
    affected: readonly Connection[],
    work: (connection: Connection, caller: TokenCaller) => void,
  ): Affected =>
    applyToEach(affected, (connection) => {
      if (connection.caller.kind === 'TOKEN') work(connection, connection.caller);
    });

  function closeAffected(affected: readonly Connection[], reason: CloseReason): Affected {
    const closed = closeAll(affected, reason, onFault);
    return closed ? closed.then(() => affected.length) : affected.length;
  }

  const updateToken = (token: Token): Affected =>
    applyToTokens(live.ofToken(token.id), (connection, caller) => {
      live.changeCaller(connection, withRecord(caller, token));
      // Reauthorizing the streams can overflow the queue, which closes the connection.
      if (!connection.isOpen(clock.now())) return;
      broker.leases.addConnection(connection.asMember()).catch(onFault);
      connection.notify({ kind: 'TOKEN_UPDATED' });
    });

  function applyRestriction(kind: 'RESTRICTED' | 'RESTRICTION_LIFTED', restriction: Restriction): Affected {
    const affected = ofTokens(restriction.projectId, ({ token }) =>
      subjectsOf(token).includes(restriction.subject),
    );
    return applyToTokens(affected, (connection, caller) => {
      const others = caller.restrictions.filter((other) => !isSameRestriction(other, restriction));
      // Notify first: after a ban, the streams of the channel end.
      connection.notify({ kind, restriction });
      const restrictions = kind === 'RESTRICTED' ? [...others, restriction] : others;
      live.changeCaller(connection, { ...caller, restrictions });
    });
  }

  function dropRestrictionsOf(projectId: string, channelId: string): Affected {
    const isInChannel = (restriction: Restriction) => restriction.channelId === channelId;
    const affected = ofTokens(projectId, ({ restrictions }) => restrictions.some(isInChannel));
    // The streams receive CHANNEL_DELETED through the signal router, so they need not be reauthorized.
    return applyToTokens(affected, (connection, caller) =>
      live.setCaller(connection, {
        ...caller,
        restrictions: caller.restrictions.filter((restriction) => !isInChannel(restriction)),
      }),
    );
  }

  function disconnect(projectId: string, connectionId: string, note: string | null): number {
    const found = live.byId.get(connectionId);
    if (found?.projectId !== projectId) return 0;
    found.close('DISCONNECTED', note);
    return 1;
  }

  async function updateSettings(projectId: string, settings: ProjectSettings): Promise<number> {
    const affected = ofProject(projectId);
    const isUnsigned = ({ caller }: Connection) =>
      caller.kind === 'TOKEN' && caller.credential.issuerId === DEVELOPMENT_ISSUER;
    const closed = settings.developmentTokens ? 0 : closeAffected(affected.filter(isUnsigned), 'KEY_ENDED');
    const updated = applyToEach(affected, (connection) => {
      const { caller } = connection;
      if (caller.kind !== 'API_KEY' && connection.isOpen(clock.now()))
        live.changeCaller(connection, { ...caller, settings });
    });
    await closed;
    return updated;
  }

  /**
   * Closes the connections whose credential was signed by the key, at `endsAt`: at once, or by a timer.
   * @param endsAt milliseconds since 1970; null: the key does not expire
   */
  function expireSigningKey(
    projectId: string,
    endsAt: number | null,
    isSignedByKey: (caller: TokenCaller) => boolean,
  ): Affected {
    const affected = ofTokens(projectId, isSignedByKey);
    if (endsAt !== null && endsAt <= clock.now()) return closeAffected(affected, 'KEY_ENDED');
    return applyToTokens(affected, (connection, caller) =>
      live.setCaller(connection, { ...caller, credential: { ...caller.credential, keyExpiresAt: endsAt } }),
    );
  }

  async function updateApiKey(projectId: string, apiKey: ApiKey): Promise<number> {
    const holders = [...live.byId.values()].filter(
      ({ caller }) => caller.kind === 'API_KEY' && caller.apiKey.id === apiKey.id,
    );
    const held =
      apiKey.revokedAt !== null
        ? closeAffected(holders, 'KEY_ENDED')
        : applyToEach(holders, (connection) =>
            live.setCaller(connection, { kind: 'API_KEY', projectId, apiKey }),
          );
    const endsAt = apiKey.revokedAt ?? apiKey.expiresAt;
    const signed = expireSigningKey(projectId, endsAt, ({ credential }) => credential.keyId === apiKey.id);
    return (await held) + (await signed);
  }

  return (signal) => {
    switch (signal.kind) {
      case 'TOKEN_REVOKED':
        return closeAffected(live.ofToken(signal.token.id), 'TOKEN_REVOKED');
      case 'TOKEN_UPDATED':
        return updateToken(signal.token);
      case 'TOKENS_REVOKED': {
        const { projectId, revocation } = signal;
        const revoked = ofTokens(projectId, ({ token, credential }) =>
          isRevoked(revocation, { ...credential, identity: token.identity }),
        );
        return closeAffected(revoked, 'TOKEN_REVOKED');
      }
      case 'RESTRICTED':
      case 'RESTRICTION_LIFTED':
        return applyRestriction(signal.kind, signal.restriction);
      case 'CHANNEL_DELETED':
        return dropRestrictionsOf(signal.projectId, signal.channelId);
      case 'CONNECTION_DISCONNECTED':
        return disconnect(signal.projectId, signal.connectionId, signal.note);
      case 'PROJECT_UPDATED':
        return updateSettings(signal.projectId, signal.settings);
      case 'ISSUER_CHANGED': {
        const { projectId, issuerId, keyId, endsAt } = signal;
        return expireSigningKey(
          projectId,
          endsAt,
          ({ credential }) =>
            credential.rights !== null &&
            credential.issuerId === issuerId &&
            (keyId === null || credential.keyId === keyId),
        );
      }
      case 'API_KEY_CHANGED':
        return updateApiKey(signal.projectId, signal.apiKey);
      default:
        return undefined;
    }
  };
}

function isSameRestriction(one: Restriction, other: Restriction): boolean {
  return one.kind === other.kind && one.subject === other.subject && one.channelId === other.channelId;
}
