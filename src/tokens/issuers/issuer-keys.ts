import { type Clock } from '../../clock.ts';
import { createKeyCache } from '../../secrets/key-cache.ts';
import { type Vault } from '../../secrets/vault.ts';
import { type RowWriter } from '../../store/write.ts';
import { type ParsedKey } from './issuer-input.ts';
import { type createIssuerStore, type IssuerKeyRow } from './issuer-store.ts';
import { type Issuer, type IssuerKey } from './issuer.ts';
import { toIssuerKey } from './public-key.ts';

/** The keys of issuers, as the vault seals and opens them. */
export interface IssuerKeys {
  /** A new key of an issuer, as it is stored. */
  seal(issuer: Issuer, key: ParsedKey): Promise<IssuerKeyRow>;
  unseal(row: IssuerKeyRow): Promise<IssuerKey>;
  /** The keys of an issuer that have not expired. */
  activeOf(issuer: Pick<Issuer, 'id'>, transaction?: RowWriter): Promise<IssuerKeyRow[]>;
}

export function createIssuerKeys({
  rows,
  vault,
  clock,
}: {
  rows: Pick<ReturnType<typeof createIssuerStore>, 'keysOf'>;
  vault: Vault;
  clock: Clock;
}): IssuerKeys {
  const unsealKey = createKeyCache(vault, toIssuerKey);

  return {
    async seal({ id: issuerId, projectId }, { id, secret }) {
      const sealedSecret = await vault.seal(Buffer.from(secret), `${issuerId} ${id}`);
      return { projectId, issuerId, id, sealedSecret, createdAt: clock.now(), expiresAt: null };
    },
    async unseal({ issuerId, id, sealedSecret, expiresAt }) {
      return { id, key: await unsealKey(sealedSecret, `${issuerId} ${id}`), expiresAt };
    },
    async activeOf({ id }, transaction) {
      const keys = await rows.keysOf(id, transaction);
      return keys.filter(({ expiresAt }) => expiresAt === null || clock.now() < expiresAt);
    },
  };
}
