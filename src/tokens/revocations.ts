import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { badInput, notFound } from '../errors.ts';
import { parseName } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { type Announce } from '../store/write.ts';
import { actorOf, requireApiKey, type Caller } from './caller.ts';
import { tokenRevoked } from './credential-errors.ts';
import { createFutureCredentials } from './future-credentials.ts';
import { createRevocationStore } from './revocation-store.ts';
import { isRevoked, type RevocableCredential, type Revocation } from './revocation.ts';

/** The credentials to revoke. Exactly one field is set. */
export interface RevocationTarget {
  identity?: string | undefined;
  /** The id of an API key or an issuer, or `development`. */
  issuer?: string | undefined;
  /** All credentials of the project. */
  all?: boolean | undefined;
}

/** Writes a revocation and announces it to every node. The connections that it affects are those that it ended. */
export type AnnounceRevocation = Announce<{
  kind: 'TOKENS_REVOKED';
  projectId: string;
  revocation: Revocation;
}>;

/**
 * Bulk revocations: refuse all credentials of a target that were issued before a moment. To revoke one token
 * see `Tokens.revoke`. `revoke`, `restore` and `list` throw UNAUTHENTICATED or FORBIDDEN unless the caller is
 * an API key.
 */
export interface Revocations {
  /**
   * Revokes the credentials of the target that were issued before `issuedBefore`, and closes their live
   * connections before this resolves. An earlier `issuedBefore` than that of an existing revocation changes
   * nothing: see `restore`.
   * @param issuedBefore milliseconds since 1970; default: now
   * @throws BAD_USER_INPUT unless exactly one target is named, or when `issuedBefore` is in the future
   * @throws NOT_FOUND when the issuer does not exist
   */
  revoke(
    caller: Caller,
    target: RevocationTarget,
    issuedBefore: number | undefined,
  ): Promise<{ revocation: Revocation; connections: number }>;
  /**
   * Removes the revocation of the target: its credentials are accepted again until they expire. Undefined:
   * there was none.
   * @throws BAD_USER_INPUT unless exactly one target is named
   */
  restore(caller: Caller, target: RevocationTarget): Promise<Revocation | undefined>;
  /** Sorted by scope and subject. */
  list(caller: Caller, page: PageRequest): Promise<Page<Revocation>>;
  /** Whether a revocation of the project covers the credential. */
  includes(projectId: string, credential: RevocableCredential): Promise<boolean>;
  /** @throws TOKEN_REVOKED when a revocation of the project covers the credential */
  requireNotRevoked(projectId: string, credential: RevocableCredential): Promise<void>;
}

export function createRevocations(deps: {
  store: Store;
  /** Resolves an issuer id: for an API key to its `rootKeyId`, else to the id; undefined: no such issuer. */
  rootKeyIdOf: (projectId: string, id: string) => Promise<string | undefined>;
  clock: Clock;
  /** See `IssueClock`. */
  cutOff: () => number;
  announce: AnnounceRevocation;
  audit: Audit;
}): Revocations {
  const { store, rootKeyIdOf, clock, cutOff, announce, audit } = deps;
  const revocationStore = createRevocationStore(store);
  const futureCredentials = createFutureCredentials(clock);

  async function parseTarget(
    projectId: string,
    { identity, issuer, all = false }: RevocationTarget,
    mustExist: boolean,
  ): Promise<Pick<Revocation, 'scope' | 'subject'>> {
    if ([identity !== undefined, issuer !== undefined, all].filter(Boolean).length !== 1)
      throw badInput('identity', 'name exactly one of identity, issuer and all.');
    if (identity !== undefined)
      return { scope: 'IDENTITY', subject: parseName('anyIdentity', identity, 'identity') };
    if (issuer === undefined) return { scope: 'PROJECT', subject: '' };
    const issuerId = await rootKeyIdOf(projectId, parseName('anyIdentity', issuer, 'issuer'));
    if (issuerId === undefined && mustExist) throw notFound('issuer', issuer);
    return { scope: 'ISSUER', subject: issuerId ?? issuer };
  }

  const auditChange = (
    caller: Caller,
    action: 'tokens.revoke' | 'tokens.restore',
    { scope, subject }: Revocation,
  ) =>
    audit({
      action,
      projectId: caller.projectId,
      actor: actorOf(caller),
      subject: scope === 'PROJECT' ? caller.projectId : subject,
      ...(scope === 'IDENTITY' && { identity: subject }),
    });

  const includes: Revocations['includes'] = async (projectId, credential) => {
    const { identity, issuerId } = credential;
    const candidates = await revocationStore.findCandidates(projectId, identity, issuerId);
    return candidates.some(
      (revocation) =>
        isRevoked(revocation, credential) || futureCredentials.isCovered(revocation, credential),
    );
  };

  return {
    async revoke(caller, target, issuedBefore) {
      requireApiKey(caller, 'TOKENS');
      const { projectId } = caller;
      const now = clock.now();
      if (issuedBefore !== undefined && issuedBefore > now)
        throw badInput('issuedBefore', 'must not be in the future.');
      const covered = { projectId, ...(await parseTarget(projectId, target, true)) };
      const { result: revocation, connections } = await announce(
        revocationStore.put({
          ...covered,
          issuedBefore: issuedBefore ?? Math.max(cutOff(), futureCredentials.cutOff(covered)),
          createdAt: now,
        }),
        (stored) => ({ kind: 'TOKENS_REVOKED', projectId, revocation: stored }),
      );
      auditChange(caller, 'tokens.revoke', revocation);
      return { revocation, connections };
    },
    async restore(caller, target) {
      requireApiKey(caller, 'TOKENS');
      const { scope, subject } = await parseTarget(caller.projectId, target, false);
      const revocation = await revocationStore.remove(caller.projectId, scope, subject);
      if (revocation) auditChange(caller, 'tokens.restore', revocation);
      return revocation;
    },
    async list(caller, page) {
      requireApiKey(caller, 'READ');
      return revocationStore.list(caller.projectId, page);
    },
    includes,
    async requireNotRevoked(projectId, credential) {
      if (await includes(projectId, credential)) throw tokenRevoked();
      futureCredentials.remember(projectId, credential);
    },
  };
}
