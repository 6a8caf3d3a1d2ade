import { createHash, timingSafeEqual, type KeyObject } from 'node:crypto';
import { type Clock } from '../clock.ts';
import { API_KEY_SHAPE } from '../config.ts';
import { badInput, notFound, SignalboxError } from '../errors.ts';
import { type NewId, type RandomBytes } from '../ids.ts';
import { parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { createApiKeyStore, type ApiKeyRow } from './api-key-store.ts';
import { type ApiKey } from './api-key.ts';
import { createKeyCache } from '../secrets/key-cache.ts';
import { DEFAULT_PROJECT } from './project.ts';
import { type Vault } from '../secrets/vault.ts';

/** A key and its secret, which is shown this once. */
export interface MintedApiKey {
  apiKey: ApiKey;
  /** `key_<id>.<secret>` */
  secret: string;
}

/** Tells every node that a key no longer opens what it did. */
export type AnnounceApiKey = (change: {
  kind: 'API_KEY_CHANGED';
  projectId: string;
  apiKey: ApiKey;
}) => Promise<unknown>;

export const MAX_OVERLAP_SECONDS = 30 * 86_400;

export interface ApiKeys {
  create(
    projectId: string,
    input: { name?: string | undefined; canSign?: boolean | undefined },
  ): Promise<MintedApiKey>;
  list(projectId: string, page: PageRequest): Promise<Page<ApiKey>>;
  /** Ends the key and its live connections at once. @throws NOT_FOUND */
  revoke(projectId: string, id: string): Promise<ApiKey>;
  /**
   * Makes a successor; the old key works for `overlapSeconds` more (0–30 days).
   * @throws NOT_FOUND, BAD_USER_INPUT
   */
  rotate(projectId: string, id: string, overlapSeconds: number): Promise<MintedApiKey>;
  /** The key that `text` proves to hold, or undefined. Takes the same time for a wrong secret as for a right one. */
  verify(text: string): Promise<ApiKey | undefined>;
  /** The key of this id, if it has not ended. */
  findOpen(id: string): Promise<ApiKey | undefined>;
  /** The lineage of a key of the project, by any id in it; undefined when there is no such key. */
  rootKeyIdOf(projectId: string, id: string): Promise<string | undefined>;
  /** The key of this id with what it signs with: its whole text, as bytes. Undefined when it has ended, or does not sign. */
  findSigning(id: string): Promise<{ apiKey: ApiKey; key: KeyObject } | undefined>;
  /** What any node announced. */
  onKeyChanged(apiKey: ApiKey): void;
  /** Sees to it that `given` opens project `default`; without it, makes a first key where there is none and returns its secret. */
  bootstrap(given: string | undefined): Promise<string | undefined>;
}

export function createApiKeys(parts: {
  store: Store;
  clock: Clock;
  newId: NewId;
  randomBytes: RandomBytes;
  vault: Vault;
  announce: AnnounceApiKey;
}): ApiKeys {
  const { store, clock, newId, randomBytes, vault, announce } = parts;
  const rows = createApiKeyStore(store);
  const openKey = createKeyCache(vault);

  async function mint(facts: Pick<ApiKey, 'projectId' | 'name'> & Partial<ApiKey>): Promise<MintedApiKey> {
    const id = newId('key');
    const secret = `${id}.${Buffer.from(randomBytes(32)).toString('base64url')}`;
    const { canSign = false, ...given } = facts;
    const row: ApiKeyRow = {
      operator: false,
      rootKeyId: id,
      ...given,
      id,
      createdAt: clock.now(),
      expiresAt: null,
      revokedAt: null,
      secretHash: hash(secret),
      sealedSecret: canSign ? await vault.seal(Buffer.from(secret), id) : null,
    };
    await rows.insert(row);
    return { apiKey: toApiKey(row), secret };
  }

  async function change(
    projectId: string,
    id: string,
    values: { expiresAt?: number; revokedAt?: number },
  ): Promise<ApiKey> {
    const row = await rows.update(projectId, id, values);
    if (!row) throw notFound('API key', id);
    const apiKey = toApiKey(row);
    await announce({ kind: 'API_KEY_CHANGED', projectId, apiKey });
    return apiKey;
  }

  return {
    create: (projectId, { name, canSign = false }) =>
      mint({ projectId, name: parseText(name ?? 'API key', 'name'), canSign }),
    async list(projectId, page) {
      const { items, hasMore } = await rows.list(projectId, page);
      return { items: items.map(toApiKey), hasMore };
    },
    revoke: (projectId, id) => change(projectId, id, { revokedAt: clock.now() }),
    async rotate(projectId, id, overlapSeconds) {
      if (overlapSeconds < 0 || overlapSeconds > MAX_OVERLAP_SECONDS) {
        throw badInput('overlapSeconds', `is ${overlapSeconds}; it must be 0–${MAX_OVERLAP_SECONDS}.`);
      }
      const old = await rows.find(projectId, id);
      if (!old) throw notFound('API key', id);
      if (!isOpen(old, clock.now()))
        throw new SignalboxError('CONFLICT', `The API key “${id}” has ended already.`);
      const { name, operator, canSign, rootKeyId } = toApiKey(old);
      const successor = await mint({ projectId, name, operator, canSign, rootKeyId });
      await change(projectId, id, { expiresAt: clock.now() + overlapSeconds * 1000 });
      return successor;
    },
    async verify(text) {
      const id = API_KEY_SHAPE.exec(text)?.[1];
      if (id === undefined) return undefined;
      const row = await rows.findAnywhere(`key_${id}`);
      const matches = timingSafeEqual(Buffer.from(row?.secretHash ?? hash('')), Buffer.from(hash(text)));
      return row && matches && isOpen(row, clock.now()) ? toApiKey(row) : undefined;
    },
    async findOpen(id) {
      const row = await rows.findAnywhere(id);
      return row && isOpen(row, clock.now()) ? toApiKey(row) : undefined;
    },
    async rootKeyIdOf(projectId, id) {
      return (await rows.find(projectId, id))?.rootKeyId;
    },
    async findSigning(id) {
      const row = await rows.findAnywhere(id);
      if (!row?.sealedSecret || !isOpen(row, clock.now())) return undefined;
      return { apiKey: toApiKey(row), key: await openKey(row.sealedSecret, id) };
    },
    onKeyChanged: ({ id }) => rows.forget(id),
    async bootstrap(given) {
      const first = { projectId: DEFAULT_PROJECT, name: 'bootstrap', operator: true };
      if (given === undefined) {
        const { items } = await rows.list(DEFAULT_PROJECT, { first: 1 });
        return items.length > 0 ? undefined : (await mint({ ...first, canSign: true })).secret;
      }
      const id = `key_${API_KEY_SHAPE.exec(given)?.[1] ?? ''}`;
      const secrets = { secretHash: hash(given), sealedSecret: await vault.seal(Buffer.from(given), id) };
      const ends = { expiresAt: null, revokedAt: null };
      const fresh = await rows.insert({
        ...first,
        ...secrets,
        ...ends,
        id,
        rootKeyId: id,
        createdAt: clock.now(),
      });
      if (!fresh) await rows.update(DEFAULT_PROJECT, id, secrets);
      return undefined;
    },
  };
}

/** The secret has 256 bits of chance, or at least 16 characters of the operator's: a slow hash would buy nothing. */
function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function isOpen(key: Pick<ApiKey, 'revokedAt' | 'expiresAt'>, now: number): boolean {
  return key.revokedAt === null && (key.expiresAt === null || now < key.expiresAt);
}

function toApiKey({ secretHash: _, sealedSecret, ...apiKey }: ApiKeyRow): ApiKey {
  return { ...apiKey, canSign: sealedSecret !== null };
}
