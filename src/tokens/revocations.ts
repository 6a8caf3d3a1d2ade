import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { badInput, notFound } from '../errors.ts';
import { parseName } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { actorOf, requireApiKey, type Caller } from './caller.ts';
import { createRevocationStore } from './revocation-store.ts';
import { isRevoked, type Revocation } from './revocation.ts';
import { tokenRevoked } from './credential-errors.ts';

/** Exactly one of them. */
export interface RevocationTarget {
  identity?: string | undefined;
  /** The id of an API key or an issuer, or `development`. */
  issuer?: string | undefined;
  all?: boolean | undefined;
}

/** Tells every node, so that live connections feel it. */
export type AnnounceRevocation = (change: {
  kind: 'TOKENS_REVOKED';
  projectId: string;
  revocation: Revocation;
}) => Promise<number>;

/** Revocations of many at once: what was issued before a moment opens nothing. All but `require` by API keys. */
export interface Revocations {
  /**
   * Ends what was issued before `issuedBefore` (now, when absent) and the live connections of it, at once.
   * An earlier moment than that of a revocation that holds takes nothing back: see `restore`.
   * @throws BAD_USER_INPUT unless exactly one target is named, and when the moment lies in the future; NOT_FOUND for an
   * issuer that does not exist
   */
  revoke(
    caller: Caller,
    target: RevocationTarget,
    issuedBefore: number | undefined,
  ): Promise<{ revocation: Revocation; connections: number }>;
  /** Undoes it: what has not expired opens again what it did. Undefined when there is nothing to undo. */
  restore(caller: Caller, target: RevocationTarget): Promise<Revocation | undefined>;
  list(caller: Caller, page: PageRequest): Promise<Page<Revocation>>;
  /** Whether the credential was issued too long ago. */
  includes(
    projectId: string,
    credential: { identity: string | null; issuerId: string | null; issuedAt: number | null },
  ): Promise<boolean>;
  /** @throws TOKEN_REVOKED when the credential was issued too long ago */
  require(
    projectId: string,
    credential: { identity: string | null; issuerId: string | null; issuedAt: number | null },
  ): Promise<void>;
}

export function createRevocations(parts: {
  store: Store;
  /** The issuer of this id, which for an API key is its lineage; undefined when there is none. */
  rootKeyIdOf: (projectId: string, id: string) => Promise<string | undefined>;
  clock: Clock;
  announce: AnnounceRevocation;
  audit: Audit;
}): Revocations {
  const { store, rootKeyIdOf, clock, announce, audit } = parts;
  const rows = createRevocationStore(store);

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
    const lineage = await rootKeyIdOf(projectId, parseName('anyIdentity', issuer, 'issuer'));
    if (lineage === undefined && mustExist) throw notFound('issuer', issuer);
    return { scope: 'ISSUER', subject: lineage ?? issuer };
  }

  const note = (caller: Caller, action: 'tokens.revoke' | 'tokens.restore', { scope, subject }: Revocation) =>
    audit({
      action,
      projectId: caller.projectId,
      actor: actorOf(caller),
      subject: scope === 'PROJECT' ? caller.projectId : subject,
    });

  const includes: Revocations['includes'] = async (projectId, credential) => {
    const concerning = await rows.concerning(projectId, credential.identity, credential.issuerId);
    return concerning.some((revocation) => isRevoked(revocation, credential));
  };

  return {
    async revoke(caller, target, issuedBefore) {
      requireApiKey(caller);
      const { projectId } = caller;
      const now = clock.now();
      if (issuedBefore !== undefined && issuedBefore > now)
        throw badInput('issuedBefore', 'lies in the future.');
      const revocation: Revocation = {
        projectId,
        ...(await parseTarget(projectId, target, true)),
        issuedBefore: issuedBefore ?? now,
        createdAt: now,
      };
      const held = await rows.put(revocation);
      const connections = await announce({ kind: 'TOKENS_REVOKED', projectId, revocation: held });
      note(caller, 'tokens.revoke', held);
      return { revocation: held, connections };
    },
    async restore(caller, target) {
      requireApiKey(caller);
      const { scope, subject } = await parseTarget(caller.projectId, target, false);
      const revocation = await rows.remove(caller.projectId, scope, subject);
      if (revocation) note(caller, 'tokens.restore', revocation);
      return revocation;
    },
    async list(caller, page) {
      requireApiKey(caller);
      return rows.list(caller.projectId, page);
    },
    includes,
    async require(projectId, credential) {
      if (await includes(projectId, credential)) throw tokenRevoked();
    },
  };
}
