import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { readMasterKeys } from '../../src/secrets/master-key.ts';
import { createJweVault } from '../../src/secrets/vault.ts';
import Database from 'better-sqlite3';

/** Reads the signing key of a service from its store, with its master key: only the service itself can do this. */
export async function stealSigningKey(folder: string): Promise<{ kid: string; secret: Buffer }> {
  const sqlite = new Database(join(folder, 'signalbox.sqlite'), { readonly: true });
  const row = sqlite.prepare('SELECT id, secret FROM signing_keys WHERE retired_at IS NULL').get() as any;
  sqlite.close();
  const vault = createJweVault(readMasterKeys(folder, [], () => new Uint8Array()));
  return { kid: row.id, secret: Buffer.from(await vault.open(row.secret, row.id)) };
}

const encode = (part: object | string) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** Builds a JWT by hand, so that it may be invalid in any way. Without a secret, its signature is empty. */
export function forge(
  header: object | string,
  payload: object | string,
  secret?: Uint8Array | string,
  hash = 'sha256',
): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${secret === undefined ? '' : createHmac(hash, secret).update(signed).digest('base64url')}`;
}

/** Decodes a JWT without verifying it. */
export function dissect(jwt: string): { header: any; payload: any; signature: string } {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { header: read(header), payload: read(payload), signature };
}
