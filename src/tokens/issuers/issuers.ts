import { type Audit } from '../../audit.ts';
import { type Clock } from '../../clock.ts';
import { badInput, notFound, SignalboxError } from '../../errors.ts';
import { parseUrl } from '../../names.ts';
import { type NewId } from '../../ids.ts';
import { type ApiKeys } from '../../projects/api-keys.ts';
import { type Vault } from '../../secrets/vault.ts';
import { type Store } from '../../store/store.ts';
import { type Announce, type RowWriter, type Write } from '../../store/write.ts';
import { createKeyedMutex } from '../../keyed-mutex.ts';
import { actorOf, requireApiKey, type Caller } from '../caller.ts';
import { type CredentialKind } from './classify-credential.ts';
import { createFindSigner, type Signer } from './find-signer.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import {
  KEYS_ARE_FETCHED,
  parseIssuer,
  parseIssuerChange,
  parseKey,
  type IssuerChange,
  type IssuerInput,
  type KeyInput,
  type ParsedKey,
} from './issuer-input.ts';
import { requirePublicUrl } from './public-address.ts';
import { createIssuerStore, type IssuerKeyRow } from './issuer-store.ts';
import { type Issuer } from './issuer.ts';

/** Announces to every node when credentials of a key, or of a whole issuer, are no longer accepted. */
export type AnnounceIssuer = Announce<{
  kind: 'ISSUER_CHANGED';
  projectId: string;
  issuerId: string;
  /** Null: all keys of the issuer. */
  keyId: string | null;
  /** Milliseconds since 1970. */
  endsAt: number;
}>;

/** Issuers per project. */
export const MAX_ISSUERS = 50;
/** Keys per issuer, not counting expired ones. */
export const MAX_KEYS_PER_ISSUER = 20;
const URL_FIELD = 'input.provider.url';
export const MAX_KEY_OVERLAP_SECONDS = 30 * 86_400;

/** The external issuers of a project and their keys. Methods that take a caller require an API key. */
export interface Issuers {
  /** @throws BAD_USER_INPUT, CONFLICT when credentials could not be told apart from those of another issuer, LIMIT_EXCEEDED */
  create(caller: Caller, input: IssuerInput): Promise<Issuer>;
  /**
   * Changes the given fields. Applies to credentials that are presented from now on; live connections stay.
   * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT as `create`
   */
  update(caller: Caller, id: string, change: IssuerChange): Promise<Issuer>;
  /** Removes the issuer and closes the connections that its credentials opened, at once. @throws NOT_FOUND */
  remove(caller: Caller, id: string): Promise<Issuer>;
  /** @throws NOT_FOUND, CONFLICT when the id of the key is taken, BAD_USER_INPUT, LIMIT_EXCEEDED */
  addKey(caller: Caller, id: string, key: KeyInput): Promise<Issuer>;
  /**
   * Stops accepting credentials of a key after `overlapSeconds`: 0 (at once) to 2,592,000 (30 days).
   * @throws NOT_FOUND, BAD_USER_INPUT
   */
  removeKey(caller: Caller, id: string, keyId: string, overlapSeconds: number): Promise<Issuer>;
  /** @throws FORBIDDEN when the API key belongs to another project */
  list(caller: Caller, projectId: string): Promise<Issuer[]>;
  /** The keys of an issuer that have not expired, without secrets. Empty when the issuer was removed. */
  keysOf(caller: Caller, id: string): Promise<Pick<IssuerKeyRow, 'id' | 'createdAt' | 'expiresAt'>[]>;
  has(projectId: string, id: string): Promise<boolean>;
  /**
   * The issuer that a credential names, with the keys to try: of the first of `kinds` whose issuer and key the project has.
   * Undefined when it has none.
   * @throws UNAUTHENTICATED when the credential can open no connection, for example because it is for the REST API of a vendor
   */
  find(projectId: string, kinds: readonly CredentialKind[]): Promise<Signer | undefined>;
  /**
   * When a key expires, in milliseconds since 1970; null: never. Undefined when the issuer or key was removed or has
   * expired. `keyId` null: a key of a JSON Web Key Set, which lasts as long as its issuer.
   */
  endOf(projectId: string, issuerId: string, keyId: string | null): Promise<number | null | undefined>;
}

export function createIssuers(deps: {
  store: Store;
  apiKeys: ApiKeys;
  vault: Vault;
  clock: Clock;
  newId: NewId;
  announce: AnnounceIssuer;
  audit: Audit;
  /** Whether a key set may be fetched from a private or loopback address. */
  allowsPrivateProviders: boolean;
}): Issuers {
  const { store, apiKeys, vault, clock, newId, announce, audit, allowsPrivateProviders } = deps;
  const rows = createIssuerStore(store);
  const issuerKeys = createIssuerKeys({ rows, vault, clock });
  const serialize = createKeyedMutex();

  /** Per project: limits and conflicts are checked and rows are written without another change in between, on any node. */
  async function change<T>(projectId: string, write: Write<T>): Promise<T> {
    const { result } = await serialize(projectId, () =>
      announce(
        async (transaction) => {
          await rows.lock(transaction, projectId);
          return write(transaction);
        },
        // Every use of an issuer reads its rows.
        () => undefined,
      ),
    );
    return result;
  }

  async function requireIssuer({ projectId }: Caller, id: string, transaction?: RowWriter): Promise<Issuer> {
    const issuer = await rows.find(projectId, id, transaction);
    if (!issuer) throw notFound('issuer', id);
    return issuer;
  }

  /** `find` must never match two issuers. Stream tokens name no key; other kinds are selected by key id or by `iss`. */
  async function requireUnambiguous(
    issuer: Issuer,
    key: Pick<ParsedKey, 'id'> | undefined,
    transaction: RowWriter,
  ): Promise<void> {
    const { kind } = issuer;
    for (const other of await rows.list(issuer.projectId, kind, transaction)) {
      const message =
        kind === 'STREAM' && other.id !== issuer.id
          ? 'The project already has a STREAM issuer. Add the key to that issuer with addIssuerKey.'
          : other.id !== issuer.id && sharesCredentials(other, issuer)
            ? 'The project already has a JWKS issuer with the same provider.issuer and audience. Change that issuer with updateIssuer.'
            : undefined;
      if (message) throw new SignalboxError('CONFLICT', message);
      const keys = await issuerKeys.activeOf(other, transaction);
      if (key && keys.some(({ id }) => id === key.id))
        throw new SignalboxError(
          'CONFLICT',
          `The project already has a ${kind} key with the id “${key.id}”.`,
        );
    }
  }

  function record(caller: Caller, action: Parameters<Audit>[0]['action'], subject: string): void {
    audit({ action, projectId: caller.projectId, actor: actorOf(caller), subject });
  }

  return {
    async create(caller, input) {
      requireApiKey(caller, 'ADMIN');
      const { projectId } = caller;
      const issuer = { id: newId('issuer'), projectId, ...parseIssuer(input), createdAt: clock.now() };
      const key = input.key && parseKey(input.key, input.kind, 'input.key');
      if (issuer.provider && !allowsPrivateProviders) await requirePublicUrl(issuer.provider.url, URL_FIELD);
      const sealedKey = key && (await issuerKeys.seal(issuer, key));
      await change(projectId, async (transaction) => {
        await requireUnambiguous(issuer, key, transaction);
        requireBelowLimit(await rows.count(projectId, transaction), MAX_ISSUERS, 'issuers in the project');
        await rows.insert(issuer, sealedKey, transaction);
      });
      record(caller, 'issuer.create', issuer.id);
      return issuer;
    },
    async update(caller, id, input) {
      requireApiKey(caller, 'ADMIN');
      if (input.provider?.url !== undefined && !allowsPrivateProviders && parseUrl(input.provider.url))
        await requirePublicUrl(input.provider.url, URL_FIELD);
      const changed = await change(caller.projectId, async (transaction) => {
        const issuer = parseIssuerChange(await requireIssuer(caller, id, transaction), input);
        await requireUnambiguous(issuer, undefined, transaction);
        await rows.update(issuer, transaction);
        return issuer;
      });
      record(caller, 'issuer.update', id);
      return changed;
    },
    async remove(caller, id) {
      requireApiKey(caller, 'ADMIN');
      const { projectId } = caller;
      return serialize(projectId, async () => {
        const issuer = await requireIssuer(caller, id);
        await announce(rows.remove(projectId, id), () => ({
          kind: 'ISSUER_CHANGED',
          projectId,
          issuerId: id,
          keyId: null,
          endsAt: clock.now(),
        }));
        record(caller, 'issuer.remove', id);
        return issuer;
      });
    },
    async addKey(caller, id, input) {
      requireApiKey(caller, 'ADMIN');
      const issuer = await requireIssuer(caller, id);
      if (issuer.kind === 'JWKS') throw badInput('key', KEYS_ARE_FETCHED);
      const key = await issuerKeys.seal(issuer, parseKey(input, issuer.kind, 'key'));
      const changed = await change(caller.projectId, async (transaction) => {
        // The issuer may have been changed or removed meanwhile.
        const current = await requireIssuer(caller, id, transaction);
        await requireUnambiguous(current, key, transaction);
        const active = await issuerKeys.activeOf(current, transaction);
        requireBelowLimit(active.length, MAX_KEYS_PER_ISSUER, 'keys of the issuer');
        await rows.insertKey(key, transaction);
        return current;
      });
      record(caller, 'issuer.add-key', id);
      return changed;
    },
    async removeKey(caller, id, keyId, overlapSeconds) {
      requireApiKey(caller, 'ADMIN');
      if (overlapSeconds < 0 || overlapSeconds > MAX_KEY_OVERLAP_SECONDS)
        throw badInput('overlapSeconds', `is ${overlapSeconds}; it must be 0–${MAX_KEY_OVERLAP_SECONDS}.`);
      const issuer = await requireIssuer(caller, id);
      if (!(await issuerKeys.activeOf(issuer)).some((key) => key.id === keyId)) throw notFound('key', keyId);
      const endsAt = clock.now() + overlapSeconds * 1000;
      const write = overlapSeconds === 0 ? rows.removeKey(id, keyId) : rows.expireKey(id, keyId, endsAt);
      await announce(write, () => ({
        kind: 'ISSUER_CHANGED',
        projectId: caller.projectId,
        issuerId: id,
        keyId,
        endsAt,
      }));
      record(caller, 'issuer.remove-key', id);
      return issuer;
    },
    async list(caller, projectId) {
      requireApiKey(caller, 'READ');
      if (projectId !== caller.projectId)
        throw new SignalboxError('FORBIDDEN', 'The issuers of a project require an API key of that project.');
      return rows.list(projectId);
    },
    async keysOf(caller, id) {
      requireApiKey(caller, 'READ');
      return (await rows.find(caller.projectId, id)) ? issuerKeys.activeOf({ id }) : [];
    },
    has: async (projectId, id) => (await rows.find(projectId, id)) !== undefined,
    find: createFindSigner({ rows, issuerKeys, apiKeys }),
    async endOf(projectId, issuerId, keyId) {
      if (keyId?.startsWith('key_')) return (await apiKeys.findSigning(keyId))?.apiKey.expiresAt;
      const issuer = await rows.find(projectId, issuerId);
      if (!issuer || keyId === null) return issuer && null;
      return (await issuerKeys.activeOf(issuer)).find(({ id }) => id === keyId)?.expiresAt;
    },
  };
}

/** Whether a credential could be of both providers. */
function sharesCredentials({ provider: one }: Issuer, { provider: other }: Issuer): boolean {
  if (!one || one.issuer !== other?.issuer) return false;
  const isSameClaim = one.claims.audience === other.claims.audience;
  return !isSameClaim || one.audiences.some((audience) => other.audiences.includes(audience));
}

/** @param noun The counted things in plural, for the message. */
function requireBelowLimit(count: number, limit: number, noun: string): void {
  if (count < limit) return;
  const message = `There are ${count} ${noun}; at most ${limit} are allowed. Remove one first.`;
  throw new SignalboxError('LIMIT_EXCEEDED', message, { limit });
}
