import { createHash } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, errors } from 'jose';

/**
 * Encrypts secrets at rest under a master key. Each sealed secret is bound to its owner, the id of the row
 * that it belongs to, so that a sealed secret copied to another row cannot be opened there.
 */
export interface Vault {
  seal(secret: Uint8Array, owner: string): Promise<string>;
  /**
   * @throws TypeError when the secret was sealed for another owner, or under a master key that the vault does
   * not have
   */
  open(sealed: string, owner: string): Promise<Uint8Array>;
  /**
   * Seals a secret again under the first master key. Undefined when it is sealed under that key already.
   * @throws TypeError as `open`
   */
  reseal(sealed: string, owner: string): Promise<string | undefined>;
}

/**
 * A vault of compact JWEs with `dir` and A256GCM. The `kid` header names the master key, the `sub` header the
 * owner.
 * @param masterKeys texts of at least 32 characters; the first one seals, all of them open
 * @example
 * const vault = createJweVault([newMasterKey, oldMasterKey]);
 * const sealed = await vault.seal(secret, 'key_1');
 * await vault.open(sealed, 'key_1');
 */
export function createJweVault(masterKeys: readonly [string, ...string[]]): Vault {
  const keys = new Map(masterKeys.map((text) => [keyIdOf(text), deriveKey(text)]));
  const sealingKeyId = keyIdOf(masterKeys[0]);
  const vault: Vault = {
    seal: (secret, owner) =>
      new CompactEncrypt(secret)
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: sealingKeyId, sub: owner })
        .encrypt(deriveKey(masterKeys[0])),
    async reseal(sealed, owner) {
      const secret = await vault.open(sealed, owner);
      return decodeProtectedHeader(sealed)['kid'] === sealingKeyId ? undefined : vault.seal(secret, owner);
    },
    async open(sealed, owner) {
      try {
        const { plaintext, protectedHeader } = await compactDecrypt(
          sealed,
          ({ kid = '' }) => {
            const key = keys.get(kid);
            if (!key) throw new errors.JWEDecryptionFailed();
            return key;
          },
          { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] },
        );
        if (protectedHeader['sub'] === owner) return plaintext;
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
      throw new TypeError('A secret in the store cannot be read with this master key.');
    },
  };
  return vault;
}

const deriveKey = (text: string) => createHash('sha256').update(`signalbox master key\n${text}`).digest();
const keyIdOf = (text: string) =>
  createHash('sha256').update(deriveKey(text)).digest('base64url').slice(0, 8);
