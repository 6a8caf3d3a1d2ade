import { type Audit } from '../../audit.ts';
import { type Clock } from '../../clock.ts';
import { badInput, notFound, SignalboxError } from '../../errors.ts';
import { type NewId } from '../../ids.ts';
import { type ApiKeys } from '../../projects/api-keys.ts';
import { createKeyCache } from '../../secrets/key-cache.ts';
import { type Vault } from '../../secrets/vault.ts';
import { type Store } from '../../store/store.ts';
import { createKeyedMutex } from '../../keyed-mutex.ts';
import { actorOf, requireApiKey, type Caller } from '../caller.ts';
import { type CredentialKind } from './classify-credential.ts';
import { parseIssuer, parseKey, type IssuerInput, type KeyInput } from './issuer-input.ts';
import { createIssuerStore, type IssuerKeyRow } from './issuer-store.ts';
import { type Issuer, type IssuerKey } from './issuer.ts';

/** An issuer and the keys with which a credential of it may have been signed. None for JWKS: those are fetched. */
export interface Signer {
  issuer: Issuer;
  keys: IssuerKey[];
}

/** Tells every node that what this key signed ends, at a moment or with the whole issuer. */
export type AnnounceIssuer = (change: {
  kind: 'ISSUER_CHANGED';
  projectId: string;
  issuerId: string;
  /** Null: all of its keys. */
  keyId: string | null;
  endsAt: number;
}) => Promise<unknown>;

export const MAX_ISSUERS = 50;
export const MAX_KEYS_PER_ISSUER = 20;
export const MAX_KEY_OVERLAP_SECONDS = 30 * 86_400;

/** Whose credentials a project accepts besides its own. All but `find` by API keys. */
export interface Issuers {
  /** @throws BAD_USER_INPUT, CONFLICT when the project has one like it, LIMIT_EXCEEDED */
  create(caller: Caller, input: IssuerInput): Promise<Issuer>;
  /** Ends it and the live connections that it let in, at once. @throws NOT_FOUND */
  remove(caller: Caller, id: string): Promise<Issuer>;
  /** @throws NOT_FOUND, CONFLICT when the key’s id is taken, BAD_USER_INPUT, LIMIT_EXCEEDED */
  addKey(caller: Caller, id: string, key: KeyInput): Promise<Issuer>;
  /** Ends a key in `overlapSeconds`: 0, which is at once, to 30 days. @throws NOT_FOUND, BAD_USER_INPUT */
  removeKey(caller: Caller, id: string, keyId: string, overlapSeconds: number): Promise<Issuer>;
  list(caller: Caller, projectId: string): Promise<Issuer[]>;
  /** None of one that is gone. */
  keysOf(caller: Caller, id: string): Promise<Pick<IssuerKeyRow, 'id' | 'createdAt' | 'expiresAt'>[]>;
  has(projectId: string, id: string): Promise<boolean>;
  /** Whoever the facts of a credential name; undefined: nobody whom the project knows. */
  find(projectId: string, facts: CredentialKind): Promise<Signer | undefined>;
  /** When a key stops verifying; null: it is not known to; undefined: it does not verify now. `keyId` null: a fetched one. */
  endOf(projectId: string, issuerId: string, keyId: string | null): Promise<number | null | undefined>;
}

export function createIssuers(parts: {
  store: Store;
  apiKeys: ApiKeys;
  vault: Vault;
  clock: Clock;
  newId: NewId;
  announce: AnnounceIssuer;
  audit: Audit;
}): Issuers {
  const { store, apiKeys, vault, clock, newId, announce, audit } = parts;
  const rows = createIssuerStore(store);
  const openKey = createKeyCache(vault);
  /** What a project has is found out and added to in one step. */
  const turns = createKeyedMutex();

  async function get({ projectId }: Caller, id: string): Promise<Issuer> {
    const issuer = await rows.find(projectId, id);
    if (!issuer) throw notFound('issuer', id);
    return issuer;
  }

  async function seal({ id: issuerId, projectId }: Issuer, { id, secret }: KeyInput): Promise<IssuerKeyRow> {
    const sealedSecret = await vault.seal(Buffer.from(secret), `${issuerId} ${id}`);
    return { projectId, issuerId, id, sealedSecret, createdAt: clock.now(), expiresAt: null };
  }

  async function open({ issuerId, id, sealedSecret, expiresAt }: IssuerKeyRow): Promise<IssuerKey> {
    return { id, key: await openKey(sealedSecret, `${issuerId} ${id}`), expiresAt };
  }

  /** Those that have not ended: of the others nobody hears again. */
  async function openKeysOf({ id }: Pick<Issuer, 'id'>): Promise<IssuerKeyRow[]> {
    const keys = await rows.keysOf(id);
    return keys.filter(({ expiresAt }) => expiresAt === null || clock.now() < expiresAt);
  }

  /** What selects an issuer must select one. */
  async function requireUnlike(issuer: Issuer, key: KeyInput | undefined): Promise<void> {
    for (const other of await rows.list(issuer.projectId, issuer.kind)) {
      const message =
        issuer.kind === 'STREAM' && other.id !== issuer.id
          ? 'The project has an issuer of the kind STREAM; add a key to it.'
          : issuer.kind === 'JWKS' && other.provider?.issuer === issuer.provider?.issuer
            ? 'The project has an issuer of that name.'
            : undefined;
      if (message) throw new SignalboxError('CONFLICT', message);
      const keys = await openKeysOf(other);
      if (key && keys.some(({ id }) => id === key.id))
        throw new SignalboxError('CONFLICT', `The project has a key “${key.id}” of the kind ${issuer.kind}.`);
    }
  }

  function note(caller: Caller, action: Parameters<Audit>[0]['action'], subject: string): void {
    audit({ action, projectId: caller.projectId, actor: actorOf(caller), subject });
  }

  return {
    async create(caller, input) {
      requireApiKey(caller);
      const { projectId } = caller;
      const issuer = { id: newId('issuer'), projectId, ...parseIssuer(input), createdAt: clock.now() };
      const key = input.key && parseKey(input.key, input.kind, 'input.key');
      return turns(projectId, async () => {
        await requireUnlike(issuer, key);
        requireRoom(await rows.countOf(projectId), MAX_ISSUERS, 'issuers in a project');
        await rows.insert(issuer, key && (await seal(issuer, key)));
        note(caller, 'issuer.create', issuer.id);
        return issuer;
      });
    },
    async remove(caller, id) {
      requireApiKey(caller);
      const { projectId } = caller;
      return turns(projectId, async () => {
        const issuer = await get(caller, id);
        await rows.remove(projectId, id);
        await announce({
          kind: 'ISSUER_CHANGED',
          projectId,
          issuerId: id,
          keyId: null,
          endsAt: clock.now(),
        });
        note(caller, 'issuer.remove', id);
        return issuer;
      });
    },
    async addKey(caller, id, input) {
      requireApiKey(caller);
      return turns(caller.projectId, async () => {
        const issuer = await get(caller, id);
        if (issuer.kind === 'JWKS') throw badInput('key', 'is not for JWKS: its keys are fetched.');
        const key = parseKey(input, issuer.kind, 'key');
        await rows.removeEnded(id, clock.now());
        await requireUnlike(issuer, key);
        requireRoom((await rows.keysOf(id)).length, MAX_KEYS_PER_ISSUER, 'keys of an issuer');
        await rows.insertKey(await seal(issuer, key));
        note(caller, 'issuer.add-key', id);
        return issuer;
      });
    },
    async removeKey(caller, id, keyId, overlapSeconds) {
      requireApiKey(caller);
      if (overlapSeconds < 0 || overlapSeconds > MAX_KEY_OVERLAP_SECONDS)
        throw badInput('overlapSeconds', `is ${overlapSeconds}; it must be 0–${MAX_KEY_OVERLAP_SECONDS}.`);
      const issuer = await get(caller, id);
      if (!(await openKeysOf(issuer)).some((key) => key.id === keyId)) throw notFound('key', keyId);
      const endsAt = clock.now() + overlapSeconds * 1000;
      if (overlapSeconds === 0) await rows.removeKey(id, keyId);
      else await rows.endKey(id, keyId, endsAt);
      await announce({ kind: 'ISSUER_CHANGED', projectId: caller.projectId, issuerId: id, keyId, endsAt });
      note(caller, 'issuer.remove-key', id);
      return issuer;
    },
    async list(caller, projectId) {
      requireApiKey(caller);
      if (projectId !== caller.projectId)
        throw new SignalboxError('FORBIDDEN', 'This needs an API key of that project.');
      return rows.list(projectId);
    },
    async keysOf(caller, id) {
      requireApiKey(caller);
      return (await rows.find(caller.projectId, id)) ? openKeysOf({ id }) : [];
    },
    has: async (projectId, id) => (await rows.find(projectId, id)) !== undefined,
    async find(projectId, facts) {
      if (facts.kind === 'OURS' || facts.kind === 'DEVELOPMENT') return undefined;
      if (facts.kind === 'SIGNALBOX' && facts.keyId.startsWith('key_')) {
        const found = await apiKeys.findSigning(facts.keyId);
        if (found?.apiKey.projectId !== projectId) return undefined;
        const { id, rootKeyId, name, createdAt, expiresAt } = found.apiKey;
        const issuer = {
          id: rootKeyId,
          projectId,
          name,
          createdAt,
          account: null,
          service: null,
          provider: null,
        };
        return { issuer: { ...issuer, kind: 'SIGNALBOX' }, keys: [{ id, key: found.key, expiresAt }] };
      }
      for (const issuer of await rows.list(projectId, facts.kind)) {
        if (facts.kind === 'JWKS') {
          if (issuer.provider?.issuer === facts.issuer) return { issuer, keys: [] };
          continue;
        }
        const keys = await openKeysOf(issuer);
        const named = facts.kind === 'STREAM' ? keys : keys.filter(({ id }) => id === facts.keyId);
        if (named.length > 0) return { issuer, keys: await Promise.all(named.map(open)) };
      }
      return undefined;
    },
    async endOf(projectId, issuerId, keyId) {
      if (keyId?.startsWith('key_')) return (await apiKeys.findSigning(keyId))?.apiKey.expiresAt;
      const issuer = await rows.find(projectId, issuerId);
      if (!issuer || keyId === null) return issuer && null;
      return (await openKeysOf(issuer)).find(({ id }) => id === keyId)?.expiresAt;
    },
  };
}

function requireRoom(count: number, limit: number, what: string): void {
  if (count < limit) return;
  throw new SignalboxError('LIMIT_EXCEEDED', `There are ${count} ${what}; at most ${limit} are allowed.`, {
    limit,
  });
}
