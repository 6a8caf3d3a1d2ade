import { type Secrets } from '../config.ts';
import { needsNewKey, readMasterKeys, requireNoSealedStore, verifyMasterKey } from '../secrets/master-key.ts';
import { createJweVault, type Vault } from '../secrets/vault.ts';
import { type Infrastructure } from './infrastructure.ts';

/**
 * Opens the vault with the master keys of the environment and of the data folder.
 * @throws UNAVAILABLE when none of them decrypts the data folder, or the key file is unusable
 */
export async function openVault(
  { config, store, randomBytes }: Infrastructure,
  { masterKeys = [], databaseUrl }: Secrets,
): Promise<Vault> {
  // A store in a database has no data folder to keep a key in.
  const folder = databaseUrl === undefined ? config.data : ':memory:';
  if (needsNewKey(folder, masterKeys)) await requireNoSealedStore(store);
  const vault = createJweVault(readMasterKeys(folder, masterKeys, () => randomBytes(32)));
  await verifyMasterKey(vault, store);
  return vault;
}
