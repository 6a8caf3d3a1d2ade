import { createCipheriv, createDecipheriv, createHmac, type Cipher, type Decipher } from 'node:crypto';
import { type Position } from '../broker/position.ts';
import { badInput } from '../errors.ts';

/** Turns positions into opaque strings and back. The same position always has the same cursor. */
export interface Cursors {
  format(projectId: string, position: Position): string;
  /**
   * The position, or undefined when the cursor is well formed but not of this project's log: it was made for
   * another project, by another installation, or up.
   * @throws BAD_USER_INPUT when it is no cursor at all.
   */
  parse(projectId: string, text: string): Position | undefined;
}

const VERSION = '1';
/** The last character holds the last two bits of the block; any other one there would be a second spelling. */
const SHAPE = /^1[A-Za-z0-9_-]{21}[AQgw]$/;
const BLOCK_BYTES = 16;
const EPOCH_OFFSET = 6;
const CHECK_OFFSET = 10;

/**
 * A position fills one block: 6 bytes of sequence, 4 of epoch, 6 of zeros. Enciphered under a key of the project's
 * own, the block says nothing of how much was said in between, and a forged one deciphers to six zeros once in 2^48.
 * One block under a permutation needs no mode, hence ECB.
 */
export function createCursors(secret: Uint8Array): Cursors {
  const ciphers = new Map<string, { encipher: Cipher; decipher: Decipher }>();

  /** Made once: without a mode and without padding, every block is a beginning. */
  function cipherOf(projectId: string) {
    let cipher = ciphers.get(projectId);
    if (!cipher) {
      const key = createHmac('sha256', secret).update(`cursor\n${projectId}`).digest();
      cipher = {
        encipher: createCipheriv('aes-256-ecb', key, null).setAutoPadding(false),
        decipher: createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false),
      };
      ciphers.set(projectId, cipher);
    }
    return cipher;
  }

  return {
    format(projectId, { epoch, sequence }) {
      const block = Buffer.alloc(BLOCK_BYTES);
      block.writeUIntBE(sequence, 0, EPOCH_OFFSET);
      block.writeUInt32BE(epoch, EPOCH_OFFSET);
      return VERSION + cipherOf(projectId).encipher.update(block).toString('base64url');
    },
    parse(projectId, text) {
      if (!SHAPE.test(text)) throw badInput('cursor', 'is not a cursor.');
      const block = cipherOf(projectId).decipher.update(Buffer.from(text.slice(1), 'base64url'));
      if (block.subarray(CHECK_OFFSET).some((byte) => byte !== 0)) return undefined;
      return { sequence: block.readUIntBE(0, EPOCH_OFFSET), epoch: block.readUInt32BE(EPOCH_OFFSET) };
    },
  };
}
