import { createHash, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { type Clock } from '../clock.ts';
import { API_KEY_SHAPE } from '../config.ts';
import { badInput, notFound, SignalboxError } from '../errors.ts';
import { type NewId, type RandomBytes } from '../ids.ts';
import { createKeyedMutex } from '../keyed-mutex.ts';
import { parseText } from '../names.ts';
import { type Page, type PageRequest } from '../paging.ts';
import { type Store } from '../store/store.ts';
import { type Announce } from '../store/write.ts';
import { createApiKeyStore, type ApiKeyRow } from './api-key-store.ts';
import { ALL_RIGHTS, parseRights, type ApiKey, type ApiKeyRightsInput } from './api-key.ts';
import { createKeyCache } from '../secrets/key-cache.ts';
import { deriveSigningSecret } from './signing-secret.ts';
import { DEFAULT_PROJECT } from './project.ts';
import { type Vault } from '../secrets/vault.ts';

/** A new key and its secret. The secret is returned this one time only. */
export interface ApiKeyWithSecret {
  apiKey: ApiKey;
  /** `key_<id>.<secret>` */
  secret: string;
}

/** The keys of the operator after a start; see ApiKeys.bootstrap. */
export interface Bootstrap {
  firstApiKey: string | undefined;
  otherOperatorKeys: readonly ApiKey[];
}

/** A new API key, before validation. */
export interface ApiKeyInput extends ApiKeyRightsInput {
  /** “API key” by default. */
  name?: string | undefined;
  /** False by default. */
  canSign?: boolean | undefined;
  /** Milliseconds since 1970, UTC; undefined: the key does not expire. */
  expiresAt?: number | undefined;
}

/** Revokes a key or gives it an expiry, and announces that to every node. */
export type AnnounceApiKey = Announce<{
  kind: 'API_KEY_CHANGED';
  projectId: string;
  apiKey: ApiKey;
}>;

/** How long a rotated key may remain valid, in seconds: 30 days. */
export const MAX_OVERLAP_SECONDS = 30 * 86_400;

export interface ApiKeys {
  /** @throws BAD_USER_INPUT for an invalid name, invalid rights or an expiry in the past */
  create(projectId: string, input: ApiKeyInput): Promise<ApiKeyWithSecret>;
  list(projectId: string, page: PageRequest): Promise<Page<ApiKey>>;
  /** Revokes a key and closes its live connections at once. @throws NOT_FOUND */
  revoke(projectId: string, id: string): Promise<ApiKey>;
  /**
   * Creates a successor with a new secret and the same rights. The old key remains valid for `overlapSeconds`: 0 to `MAX_OVERLAP_SECONDS`.
   * @throws NOT_FOUND, BAD_USER_INPUT
   * @throws CONFLICT when the key has expired or was revoked, or another call rotates or revokes it at the same moment
   */
  rotate(projectId: string, id: string, overlapSeconds: number): Promise<ApiKeyWithSecret>;
  /**
   * Verifies `key_<id>.<secret>`. Resolves to undefined when the key is unknown, has expired or was revoked, or the secret is wrong.
   * Compares hashes in constant time, also when the id is unknown.
   */
  verify(text: string): Promise<ApiKey | undefined>;
  /** The key of this id in any project; undefined when it is unknown, has expired or was revoked. */
  findActive(id: string): Promise<ApiKey | undefined>;
  /** The `rootKeyId` of a key of the project; undefined when the project has no such key. */
  rootKeyIdOf(projectId: string, id: string): Promise<string | undefined>;
  /**
   * The API key of this id with the key that verifies its credentials; see `deriveSigningSecret`. Undefined when the API
   * key is unknown, has expired, was revoked or cannot sign.
   */
  findSigning(id: string): Promise<{ apiKey: ApiKey; key: KeyObject } | undefined>;
  /** Applies a change that a node announced: the cached row is invalidated. */
  onKeyChanged(apiKey: ApiKey): void;
  /** Drops all cached rows. */
  invalidateAll(): void;
  /**
   * Ensures that the project `default` has an operator key. A configured secret is stored as one. Without a configured
   * secret, the first start creates a key that can sign, and resolves to its secret.
   * @returns the created secret, and, where a secret is configured, the other operator keys that are still valid
   */
  bootstrap(configured: string | undefined): Promise<Bootstrap>;
  /**
   * Deletes the key that `bootstrap` created, because the start failed before the secret was printed. The next start
   * creates another one.
   */
  discardBootstrapKey(secret: string): Promise<void>;
}

export function createApiKeys(deps: {
  store: Store;
  clock: Clock;
  newId: NewId;
  randomBytes: RandomBytes;
  vault: Vault;
  announce: AnnounceApiKey;
}): ApiKeys {
  const { store, clock, newId, randomBytes, vault, announce } = deps;
  const rows = createApiKeyStore(store);
  const unsealKey = createKeyCache(vault);
  /** Keeps the rotations of a project apart in this process; between nodes, the lock of the project does. */
  const serialize = createKeyedMutex();

  async function generate({
    canSign = false,
    ...fields
  }: Pick<ApiKey, 'projectId' | 'name'> & Partial<ApiKey>): Promise<{ row: ApiKeyRow; secret: string }> {
    const id = newId('key');
    const secret = `${id}.${Buffer.from(randomBytes(32)).toString('base64url')}`;
    const row: ApiKeyRow = {
      operator: false,
      rootKeyId: id,
      lastsUntil: null,
      ...ALL_RIGHTS,
      ...fields,
      id,
      createdAt: clock.now(),
      expiresAt: fields.lastsUntil ?? null,
      revokedAt: null,
      secretHash: hash(secret),
      sealedSecret: canSign ? await vault.seal(deriveSigningSecret(secret), id) : null,
    };
    return { row, secret };
  }

  async function insert(fields: Parameters<typeof generate>[0]): Promise<ApiKeyWithSecret> {
    const { row, secret } = await generate(fields);
    await rows.insert(row);
    return { apiKey: toApiKey(row), secret };
  }

  /** Of several nodes that start for the first time at once, one creates the key; undefined on the others. */
  async function insertFirst(fields: Parameters<typeof generate>[0]): Promise<string | undefined> {
    const { items } = await rows.list(fields.projectId, { first: 1 });
    if (items.length > 0) return undefined;
    const { row, secret } = await generate(fields);
    // The key opens nothing yet, so no node must know of it.
    const { result: isFirst } = await announce(rows.insertFirst(row), () => undefined);
    return isFirst ? secret : undefined;
  }

  const signalOfChange = (changed: ApiKeyRow | undefined) =>
    changed && {
      kind: 'API_KEY_CHANGED' as const,
      projectId: changed.projectId,
      apiKey: toApiKey(changed),
    };

  async function change(projectId: string, id: string, values: { revokedAt: number }): Promise<ApiKey> {
    const { result: row } = await announce(rows.update(projectId, id, values), signalOfChange);
    if (!row) throw notFound('API key', id);
    return toApiKey(row);
  }

  return {
    async create(projectId, { name, canSign = false, expiresAt, ...rights }) {
      if (expiresAt !== undefined && expiresAt <= clock.now())
        throw badInput('expiresAt', 'must be in the future.');
      return insert({
        projectId,
        name: parseText(name ?? 'API key', 'name'),
        canSign,
        lastsUntil: expiresAt ?? null,
        ...parseRights(rights, canSign),
      });
    },
    async list(projectId, page) {
      const { items, hasMore } = await rows.list(projectId, page);
      return { items: items.map(toApiKey), hasMore };
    },
    revoke: (projectId, id) => change(projectId, id, { revokedAt: clock.now() }),
    async rotate(projectId, id, overlapSeconds) {
      if (overlapSeconds < 0 || overlapSeconds > MAX_OVERLAP_SECONDS) {
        throw badInput(
          'overlapSeconds',
          `is ${overlapSeconds}; it must be 0–${MAX_OVERLAP_SECONDS} seconds.`,
        );
      }
      const old = await rows.find(projectId, id);
      if (!old) throw notFound('API key', id);
      if (!isActive(old, clock.now()))
        throw new SignalboxError('CONFLICT', `The API key “${id}” has expired or was revoked.`);
      const chain = await rows.countOfChain(projectId, old.rootKeyId);
      const { id: _, createdAt: __, expiresAt, revokedAt: ___, ...inherited } = toApiKey(old);
      const { row: successor, secret } = await generate(inherited);
      const overlapEnd = clock.now() + overlapSeconds * 1000;
      const rotating = rows.rotate({ old, chain, successor }, Math.min(overlapEnd, expiresAt ?? overlapEnd));
      const { result: rotated } = await serialize(projectId, () => announce(rotating, signalOfChange));
      if (!rotated)
        throw new SignalboxError(
          'CONFLICT',
          `The API key “${id}” was rotated or revoked by another call at the same moment. Use the successor of that call, or try again.`,
        );
      return { apiKey: toApiKey(successor), secret };
    },
    async verify(text) {
      const id = API_KEY_SHAPE.exec(text)?.[1];
      if (id === undefined) return undefined;
      const row = await rows.findInAnyProject(`key_${id}`);
      const matches = timingSafeEqual(Buffer.from(row?.secretHash ?? hash('')), Buffer.from(hash(text)));
      return row && matches && isActive(row, clock.now()) ? toApiKey(row) : undefined;
    },
    async findActive(id) {
      const row = await rows.findInAnyProject(id);
      return row && isActive(row, clock.now()) ? toApiKey(row) : undefined;
    },
    async rootKeyIdOf(projectId, id) {
      return (await rows.find(projectId, id))?.rootKeyId;
    },
    async findSigning(id) {
      const row = await rows.findInAnyProject(id);
      if (!row?.sealedSecret || !isActive(row, clock.now())) return undefined;
      return { apiKey: toApiKey(row), key: toSigningKey(await unsealKey(row.sealedSecret, id)) };
    },
    onKeyChanged: ({ id }) => rows.invalidate(id),
    invalidateAll: rows.invalidateAll,
    async bootstrap(configured) {
      const operatorKey = { projectId: DEFAULT_PROJECT, name: 'bootstrap', operator: true };
      if (configured === undefined)
        return { firstApiKey: await insertFirst({ ...operatorKey, canSign: true }), otherOperatorKeys: [] };
      const id = `key_${API_KEY_SHAPE.exec(configured)?.[1] ?? ''}`;
      const secrets = {
        secretHash: hash(configured),
        sealedSecret: await vault.seal(deriveSigningSecret(configured), id),
      };
      const isNew = await rows.insert({
        ...operatorKey,
        ...ALL_RIGHTS,
        ...secrets,
        lastsUntil: null,
        id,
        rootKeyId: id,
        createdAt: clock.now(),
        expiresAt: null,
        revokedAt: null,
      });
      if (!isNew) {
        await rows.update(DEFAULT_PROJECT, id, secrets)(store);
        rows.invalidate(id);
      }
      const operatorKeys = await rows.listOperatorKeys(DEFAULT_PROJECT);
      const otherOperatorKeys = operatorKeys.filter((key) => key.id !== id && isActive(key, clock.now()));
      return { firstApiKey: undefined, otherOperatorKeys: otherOperatorKeys.map(toApiKey) };
    },
    async discardBootstrapKey(secret) {
      await rows.remove(DEFAULT_PROJECT, secret.slice(0, secret.indexOf('.')));
    },
  };
}

/** Stores of earlier versions sealed the whole text of the key; the signing key is derived from it. */
function toSigningKey(unsealed: KeyObject): KeyObject {
  const text = unsealed.export().toString();
  return API_KEY_SHAPE.test(text) ? createSecretKey(deriveSigningSecret(text)) : unsealed;
}

/**
 * A fast hash is enough: a generated secret has 256 bits of entropy, and in production a configured one must look as if
 * it had; see `isWeakApiKey`. Every HTTP request computes it.
 */
function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function isActive(key: Pick<ApiKey, 'revokedAt' | 'expiresAt'>, now: number): boolean {
  return key.revokedAt === null && (key.expiresAt === null || now < key.expiresAt);
}

function toApiKey({ secretHash: _, sealedSecret, ...apiKey }: ApiKeyRow): ApiKey {
  return { ...apiKey, canSign: sealedSecret !== null };
}
