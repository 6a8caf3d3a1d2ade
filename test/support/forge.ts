import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { readMasterKeys } from '../../src/secrets/master-key.ts';
import { createJweVault } from '../../src/secrets/vault.ts';
import Database from 'better-sqlite3';

/** The key that a service signs with, taken from its store with its master key: what nobody but the service itself can do. */
export async function stealSigningKey(folder: string): Promise<{ kid: string; secret: Buffer }> {
  const sqlite = new Database(join(folder, 'signalbox.sqlite'), { readonly: true });
  const row = sqlite.prepare('SELECT id, secret FROM signing_keys WHERE retired_at IS NULL').get() as any;
  sqlite.close();
  const vault = createJweVault(readMasterKeys(folder, [], () => new Uint8Array()));
  return { kid: row.id, secret: Buffer.from(await vault.open(row.secret, row.id)) };
}

const encode = (part: object | string) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** A JWT by hand, so that nothing keeps it from being wrong. Without a secret it ends in an empty signature. */
export function forge(
  header: object | string,
  payload: object | string,
  secret?: Uint8Array | string,
  hash = 'sha256',
): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${secret === undefined ? '' : createHmac(hash, secret).update(signed).digest('base64url')}`;
}

/** The parts of a JWT, readable. */
export function dissect(jwt: string): { header: any; payload: any; signature: string } {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { header: read(header), payload: read(payload), signature };
}
