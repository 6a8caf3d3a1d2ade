import { createHash } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, errors } from 'jose';
import { type Vault } from './vault.ts';

/**
 * JWE with `dir` and A256GCM. See Vault.
 * @param masterKeys texts of at least 32 characters; the first one seals, all of them open
 */
export function createJweVault(masterKeys: readonly [string, ...string[]]): Vault {
  const keys = new Map(masterKeys.map((text) => [idOf(text), keyOf(text)]));
  const current = idOf(masterKeys[0]);
  return {
    seal: (secret, of) =>
      new CompactEncrypt(secret)
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: current, sub: of })
        .encrypt(keyOf(masterKeys[0])),
    async open(sealed, of) {
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
        if (protectedHeader['sub'] === of) return plaintext;
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
      throw new TypeError('A secret in the store cannot be read with this master key.');
    },
  };
}

const keyOf = (text: string) => createHash('sha256').update(`signalbox master key\n${text}`).digest();
const idOf = (text: string) => createHash('sha256').update(keyOf(text)).digest('base64url').slice(0, 8);
