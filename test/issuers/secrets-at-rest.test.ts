import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { defaultConfig, type Secrets } from '../../src/config.ts';
import { startService as start } from '../../src/service.ts';
import { createFolder } from '../support/folder.ts';
import { dissect, stealSigningKey } from '../support/forge.ts';
import { mint } from '../support/backend.ts';
import {
  createApiKey,
  createIssuer,
  refusalCodeOf,
  mintOpentok,
  OPENTOK,
  opentokSessionId,
  sign,
  signingKeyOf,
  STREAM,
  stream,
  TWILIO,
  type SigningApiKey,
} from '../support/external-credentials.ts';
import {
  API_KEY,
  createServiceClient,
  silentLogger,
  startService,
  type ServiceClient,
} from '../support/service.ts';

const OWN = { kind: 'SIGNALBOX', key: { id: 'mine', secret: 'a secret of my own, of 32 bytes or more' } };
const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];
const NO_MASTER_KEY = 'The data folder has no master.key, but its store was written under a master key.';
const OTHER_MASTER_KEY = 'The store was written under another master key. Set SIGNALBOX_MASTER_KEY to';

/** Starts a service with the given master keys, or with the one in its data folder. */
async function startUnder(data: string, masterKeys?: string[]) {
  const secrets: Secrets = { apiKey: API_KEY, ...(masterKeys && { masterKeys }) };
  const service = await start(defaultConfig({ port: 0, data, mode: 'test' }), secrets, {
    logger: silentLogger,
  });
  const client = createServiceClient(service.url);
  return {
    ...client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

/** The content of every file in a folder. */
function bytesIn(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(folder, name))]));
}

/** A secret as plain bytes, in hex, and in base64 and base64url at each of the three byte alignments. */
function encodingsOf(secret: string | Buffer): Buffer[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const shifted = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // The first and last characters depend on neighbouring bytes, so they are cut off.
    const aligned = text.slice(shift === 0 ? 0 : 4, text.length - 4);
    return [aligned, aligned.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [bytes, ...[hex, hex.toUpperCase(), ...shifted].map((text) => Buffer.from(text))];
}

function filesWith(files: Map<string, Buffer>, secret: string | Buffer): string[] {
  const encodings = encodingsOf(secret);
  return [...files].flatMap(([name, bytes]) =>
    encodings.some((text) => bytes.includes(text)) ? [name] : [],
  );
}

test('stores no secret and no signature in the data folder, in any file or encoding, while running or stopped', async () => {
  using folder = createFolder();
  const signalbox = await startService({ data: folder.path });
  const issuers = [STREAM, TWILIO, OPENTOK, OWN];
  for (const input of issuers) await createIssuer(signalbox, input);
  const key = await createApiKey(signalbox);
  const { rotateApiKey } = await signalbox.request(
    `mutation ($id: ID!) { rotateApiKey(id: $id) { secret } }`,
    { id: key.id },
  );
  await signalbox.request(`mutation { rotateSigningKey(overlapSeconds: 60) }`);
  const { credential } = await mint(signalbox);
  const signed = [stream.createToken('ada'), await sign(key, { sub: 'ada' })];
  for (const one of signed) expect(await refusalCodeOf(signalbox, one)).toBe('open');
  const signing = await stealSigningKey(folder.path);
  const secrets = [
    ...issuers.map(({ key }) => key.secret),
    ...[API_KEY, key.secret, rotateApiKey.secret].flatMap((text: string) => [text, text.split('.')[1]!]),
    signing.secret,
    ...[credential, ...signed].map((text) => dissect(text).signature),
  ];

  const running = bytesIn(folder.path);
  expect([...running.keys()].toSorted()).toEqual(
    expect.arrayContaining(['signalbox.sqlite', 'signalbox.sqlite-wal']),
  );
  // The search itself works: it finds the id of a key and the master key.
  expect(filesWith(running, STREAM.key.id)).not.toEqual([]);
  expect(filesWith(running, readFileSync(join(folder.path, 'master.key')))).toEqual(['master.key']);
  await signalbox[Symbol.asyncDispose]();
  for (const files of [running, bytesIn(folder.path)]) {
    for (const secret of secrets) expect(filesWith(files, secret)).toEqual([]);
  }
});

/** Creates one secret of each kind that is sealed under the master key. */
async function createSecrets(client: ServiceClient) {
  await createIssuer(client, STREAM);
  const key = await createApiKey(client);
  const minted = (await mint(client)).credential;
  return { key, minted };
}

async function expectAllAccepted(
  client: ServiceClient,
  { key, minted }: { key: SigningApiKey; minted: string },
) {
  const credentials = [minted, stream.createToken('ada'), await sign(key, { sub: 'ada' })];
  for (const credential of credentials) expect(await refusalCodeOf(client, credential)).toBe('open');
}

async function expectAllAcceptedUnder(
  folder: string,
  masterKeys: string[] | undefined,
  secrets: { key: SigningApiKey; minted: string },
) {
  await using signalbox = await startUnder(folder, masterKeys);
  await expectAllAccepted(signalbox, secrets);
}

test('does not start under another master key, names SIGNALBOX_MASTER_KEY in the error, and leaves the data intact', async () => {
  using folder = createFolder();
  const signalbox = await startUnder(folder.path, [OLD]);
  const secrets = await createSecrets(signalbox);
  await signalbox[Symbol.asyncDispose]();
  for (const keys of [[NEW], [NEW, 'x'.repeat(32)]])
    await expect(startUnder(folder.path, keys)).rejects.toThrow(OTHER_MASTER_KEY);
  await expectAllAcceptedUnder(folder.path, [OLD], secrets);
});

test('opens existing secrets when the old master key is listed after the new one', async () => {
  using folder = createFolder();
  const signalbox = await startUnder(folder.path, [OLD]);
  const secrets = await createSecrets(signalbox);
  await signalbox[Symbol.asyncDispose]();
  {
    await using rotating = await startUnder(folder.path, [NEW, OLD]);
    await expectAllAccepted(rotating, secrets);
    await createIssuer(rotating, OPENTOK);
    expect(await refusalCodeOf(rotating, mintOpentok(opentokSessionId('lesson')))).toBe('open');
  }
  await expectAllAcceptedUnder(folder.path, [NEW, OLD], secrets);
});

test('uses the key file after the keys of the environment, and does not start when the key file is lost', async () => {
  using folder = createFolder();
  const signalbox = await startUnder(folder.path);
  const secrets = await createSecrets(signalbox);
  await signalbox[Symbol.asyncDispose]();
  await expectAllAcceptedUnder(folder.path, undefined, secrets);
  await expectAllAcceptedUnder(folder.path, [NEW], secrets);
  rmSync(join(folder.path, 'master.key'));
  await expect(startUnder(folder.path)).rejects.toThrow(NO_MASTER_KEY);
  expect(existsSync(join(folder.path, 'master.key'))).toBe(false);
});

test('does not start without master.key beside an existing store, and leaves no other key behind', async () => {
  using folder = createFolder();
  const file = join(folder.path, 'master.key');
  const signalbox = await startUnder(folder.path);
  const secrets = await createSecrets(signalbox);
  await signalbox[Symbol.asyncDispose]();
  const key = readFileSync(file, 'utf8');
  rmSync(file);
  await expect(startUnder(folder.path)).rejects.toThrow(NO_MASTER_KEY);
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, key, { mode: 0o600 });
  await expectAllAcceptedUnder(folder.path, undefined, secrets);
});

const RESEAL = 'mutation { resealSecrets }';

test('the service starts without the old master keys after resealSecrets, also without the one in the data folder', async () => {
  using folder = createFolder();
  const signalbox = await startUnder(folder.path);
  const secrets = await createSecrets(signalbox);
  await createIssuer(signalbox, TWILIO);
  await signalbox[Symbol.asyncDispose]();
  {
    await using resealing = await startUnder(folder.path, [NEW]);
    // Two API keys can sign; the configured one is sealed at each start. Then two issuers, the signing key and the check.
    expect((await resealing.request(RESEAL)).resealSecrets).toBe(5);
    expect((await resealing.request(RESEAL)).resealSecrets).toBe(0);
    await expectAllAccepted(resealing, secrets);
  }
  rmSync(join(folder.path, 'master.key'));
  await expectAllAcceptedUnder(folder.path, [NEW], secrets);
});

test('resealSecrets names a secret that cannot be opened, and seals the others', async () => {
  using folder = createFolder();
  const signalbox = await startUnder(folder.path);
  const secrets = await createSecrets(signalbox);
  await signalbox[Symbol.asyncDispose]();
  const sqlite = new Database(join(folder.path, 'signalbox.sqlite'));
  sqlite.exec(`create temp table copied as select * from api_keys where sealed_secret is not null limit 1;
    update copied set id = 'key_copied'; insert into api_keys select * from copied`);
  sqlite.close();
  await using resealing = await startUnder(folder.path, [NEW]);
  const { errors } = await resealing.ask(RESEAL, {});
  expect(errors?.[0]).toMatchObject({
    message: expect.stringContaining('cannot be opened with the master keys: key_copied.') as string,
    extensions: { code: 'UNAVAILABLE' },
  });
  await expectAllAccepted(resealing, secrets);
});

test('resealSecrets is for the API key of the operator', async () => {
  await using signalbox = await startService();
  const { secret } = await createApiKey(signalbox);
  const { credential } = await mint(signalbox);
  for (const [bearer, code] of [
    [secret, 'FORBIDDEN'],
    [credential, 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ] as const)
    expect((await signalbox.ask(RESEAL, {}, bearer)).errors?.[0]?.extensions['code']).toBe(code);
});

test('refuses credentials of keys whose sealed secrets were swapped between rows', async () => {
  using folder = createFolder();
  const signalbox = await startUnder(folder.path);
  const issuer = await createIssuer(signalbox, STREAM);
  const second = { id: 'second', secret: 'another secret of Stream' };
  await signalbox.request(
    `mutation ($i: ID!, $key: IssuerKeyInput!) { addIssuerKey(issuer: $i, key: $key) { id } }`,
    { i: issuer, key: second },
  );
  const keys = [await createApiKey(signalbox), await createApiKey(signalbox)];
  const credentials = [
    stream.createToken('ada'),
    await sign(keys[0]!, { sub: 'ada' }),
    // Signed with the secret of one key in the name of the other.
    await sign({ id: keys[1]!.id, secret: keys[0]!.secret }, { sub: 'ada' }),
    await sign({ id: keys[0]!.id, secret: keys[1]!.secret }, { sub: 'ada' }),
  ];
  await signalbox[Symbol.asyncDispose]();
  swap(folder.path, 'issuer_keys', STREAM.key.id, second.id);
  swap(folder.path, 'api_keys', keys[0]!.id, keys[1]!.id);
  await using restarted = await startUnder(folder.path);
  for (const credential of credentials) expect(await refusalCodeOf(restarted, credential)).not.toBe('open');
  expect(await refusalCodeOf(restarted, await sign(signingKeyOf(API_KEY), { sub: 'ada' }))).toBe('open');
});

function swap(folder: string, table: string, one: string, other: string): void {
  using sqlite = Object.assign(new Database(join(folder, 'signalbox.sqlite')), {
    [Symbol.dispose](this: Database.Database) {
      this.close();
    },
  });
  const find = sqlite.prepare(`SELECT sealed_secret FROM ${table} WHERE id = ?`).pluck();
  const [first, second] = [find.get(one), find.get(other)];
  expect(first).not.toBe(second);
  const put = sqlite.prepare(`UPDATE ${table} SET sealed_secret = ? WHERE id = ?`);
  expect(put.run(second, one).changes + put.run(first, other).changes).toBe(2);
}
