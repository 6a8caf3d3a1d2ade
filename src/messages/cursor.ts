import { createCipheriv, createDecipheriv, createHmac, type Cipher, type Decipher } from 'node:crypto';
import { type Position } from '../broker/position.ts';
import { badInput } from '../errors.ts';

/** Converts positions to opaque strings and back. A position always has the same cursor. */
export interface Cursors {
  format(projectId: string, position: Position): string;
  /**
   * Returns undefined for a well-formed cursor that does not belong to this project: it comes from another project or
   * installation, or is forged.
   * @param field the argument that the error names. Default: `cursor`
   * @throws BAD_USER_INPUT when `text` is not a cursor
   */
  parse(projectId: string, text: string, field?: string): Position | undefined;
}

const VERSION = '1';
/** The last character encodes the last two bits of the block; any other character there would be a second spelling. */
const SHAPE = /^1[A-Za-z0-9_-]{21}[AQgw]$/;
/** Fits into a close frame together with the name of an argument. */
export const NOT_A_CURSOR =
  'is not a cursor. Pass the cursor of createToken, Connected or a message unchanged.';
const BLOCK_BYTES = 16;
const EPOCH_OFFSET = 6;
const CHECK_OFFSET = 10;

/**
 * A position fills one AES block: 6 bytes of sequence, 4 bytes of epoch, 6 zero bytes. The block is encrypted with a key
 * per project, so a cursor does not reveal how many messages lie between two positions, and a forged cursor decrypts to
 * six zero bytes with probability 2^-48. A single block needs no chaining, hence ECB.
 */
export function createCursors(secret: Uint8Array): Cursors {
  const ciphers = new Map<string, { encipher: Cipher; decipher: Decipher }>();

  /** Cached: in ECB mode without padding, one cipher object can process any number of independent blocks. */
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
    parse(projectId, text, field = 'cursor') {
      if (!SHAPE.test(text)) throw badInput(field, NOT_A_CURSOR);
      const block = cipherOf(projectId).decipher.update(Buffer.from(text.slice(1), 'base64url'));
      if (block.subarray(CHECK_OFFSET).some((byte) => byte !== 0)) return undefined;
      return { sequence: block.readUIntBE(0, EPOCH_OFFSET), epoch: block.readUInt32BE(EPOCH_OFFSET) };
    },
  };
}
