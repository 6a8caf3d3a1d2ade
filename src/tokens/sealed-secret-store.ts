import { and, asc, eq, gt, isNotNull } from 'drizzle-orm';
import { unavailable, type SignalboxError } from '../errors.ts';
import { apiKeys } from '../projects/tables.ts';
import { CHECK_OWNER, CHECK_SECRET } from '../secrets/master-key.ts';
import { secrets } from '../secrets/tables.ts';
import { type Vault } from '../secrets/vault.ts';
import { type Store } from '../store/store.ts';
import { issuerKeys } from './issuers/tables.ts';
import { signingKeys } from './tables.ts';

/** Rows that one read returns. */
const PAGE_SIZE = 100;

/** A sealed secret, with what writes it back unless it has changed since it was read. */
interface SealedRow {
  sealed: string;
  owner: string;
  write: (resealed: string) => PromiseLike<unknown>;
}

/** At most this many unreadable secrets are named in the error. */
const MAX_NAMED = 10;

/**
 * Seals every secret in the store again under the first master key. Resolves to the number of secrets that another key
 * had sealed.
 * @throws UNAVAILABLE when secrets cannot be opened, with the ids of their rows, after all others were sealed again
 */
export type ResealSecrets = () => Promise<number>;

/**
 * New secrets are sealed under the first master key in any case, so afterwards the other master keys open nothing that
 * the first one does not.
 */
export function createResealSecrets({ store, vault }: { store: Store; vault: Vault }): ResealSecrets {
  return async () => {
    let count = 0;
    const unreadable: string[] = [];
    // The check comes last: until then a start without the old key fails, and the work can be done again.
    for (const list of [sealedApiKeys, sealedIssuerKeys, sealedSigningKeys, sealedCheck]) {
      if (list === sealedCheck && unreadable.length > 0) throw someUnreadable(unreadable);
      for await (const { sealed, owner, write } of list(store)) {
        const resealed = await vault.reseal(sealed, owner).catch((error: unknown) => {
          if (!(error instanceof TypeError)) throw error;
          unreadable.push(owner);
          return undefined;
        });
        if (resealed === undefined) continue;
        await write(resealed);
        count++;
      }
    }
    return count;
  };
}

function someUnreadable(owners: readonly string[]): SignalboxError {
  const named = owners.slice(0, MAX_NAMED).join(', ');
  const others = owners.length > MAX_NAMED ? ` and ${owners.length - MAX_NAMED} more` : '';
  return unavailable(
    `The other secrets were sealed again, but these cannot be opened with the master keys: ${named}${others}. Add the key that sealed them to SIGNALBOX_MASTER_KEY, or revoke or remove them; keep the old keys until then.`,
  );
}

async function* sealedApiKeys({ db }: Store): AsyncGenerator<SealedRow> {
  for (let after = ''; ;) {
    const rows = await db
      .select({ id: apiKeys.id, sealedSecret: apiKeys.sealedSecret })
      .from(apiKeys)
      .where(and(gt(apiKeys.id, after), isNotNull(apiKeys.sealedSecret)))
      .orderBy(asc(apiKeys.id))
      .limit(PAGE_SIZE);
    for (const { id, sealedSecret } of rows) {
      const sealed = sealedSecret ?? '';
      const isSame = and(eq(apiKeys.id, id), eq(apiKeys.sealedSecret, sealed));
      const write = (resealed: string) => db.update(apiKeys).set({ sealedSecret: resealed }).where(isSame);
      yield { sealed, owner: id, write };
      after = id;
    }
    if (rows.length < PAGE_SIZE) return;
  }
}

async function* sealedIssuerKeys({ db }: Store): AsyncGenerator<SealedRow> {
  for (let after = ''; ;) {
    // All keys of an issuer come in one page, because an issuer has few.
    const issuerIds = await db
      .selectDistinct({ id: issuerKeys.issuerId })
      .from(issuerKeys)
      .where(gt(issuerKeys.issuerId, after))
      .orderBy(asc(issuerKeys.issuerId))
      .limit(PAGE_SIZE);
    for (const { id: issuerId } of issuerIds) {
      for (const { id, sealedSecret: sealed } of await db
        .select()
        .from(issuerKeys)
        .where(eq(issuerKeys.issuerId, issuerId))) {
        const isSame = and(
          eq(issuerKeys.issuerId, issuerId),
          eq(issuerKeys.id, id),
          eq(issuerKeys.sealedSecret, sealed),
        );
        const write = (resealed: string) =>
          db.update(issuerKeys).set({ sealedSecret: resealed }).where(isSame);
        yield { sealed, owner: `${issuerId} ${id}`, write };
      }
      after = issuerId;
    }
    if (issuerIds.length < PAGE_SIZE) return;
  }
}

async function* sealedSigningKeys({ db }: Store): AsyncGenerator<SealedRow> {
  for (const { id, secret: sealed } of await db.select().from(signingKeys)) {
    const write = (resealed: string) =>
      db.update(signingKeys).set({ secret: resealed }).where(eq(signingKeys.id, id));
    yield { sealed, owner: id, write };
  }
}

async function* sealedCheck({ db }: Store): AsyncGenerator<SealedRow> {
  for (const { name, value } of await db.select().from(secrets).where(eq(secrets.name, CHECK_SECRET))) {
    const write = (resealed: string) =>
      db
        .update(secrets)
        .set({ value: Buffer.from(resealed).toString('base64url') })
        .where(eq(secrets.name, name));
    yield { sealed: Buffer.from(value, 'base64url').toString(), owner: CHECK_OWNER, write };
  }
}
