import { MASTER_KEY_ENV, type Secrets } from '../config.ts';
import { unavailable } from '../errors.ts';
import { createJweVault } from '../secrets/jwe-vault.ts';
import { readMasterKeys } from '../secrets/master-key.ts';
import { readSecret } from '../secrets/secret-store.ts';
import { type Vault } from '../secrets/vault.ts';
import { type Infrastructure } from './infrastructure.ts';

/**
 * Opens the vault with the master keys of the environment and of the data folder.
 * @throws UNAVAILABLE when none of them decrypts the data folder, or the key file is unusable
 */
export async function openVault(
  { config, store, randomBytes }: Infrastructure,
  { masterKeys = [] }: Secrets,
): Promise<Vault> {
  const vault = createJweVault(readMasterKeys(config.data, masterKeys, () => randomBytes(32)));
  // A value sealed at the first start detects a wrong master key before any secret is needed.
  const sealed = await vault.seal(Buffer.from('signalbox'), 'check');
  const stored = await readSecret(store, 'vault', () => Buffer.from(sealed));
  try {
    await vault.open(Buffer.from(stored).toString(), 'check');
  } catch {
    throw unavailable(
      `The data folder was written under another master key. Set ${MASTER_KEY_ENV} to that key, or to a new key and that key, separated by a comma.`,
    );
  }
  return vault;
}
