import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
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
const OTHER_MASTER_KEY = 'The data folder was written under another master key. Set SIGNALBOX_MASTER_KEY to';

/** A service with master keys of its own, or the one in its folder. */
async function startUnder(data: string, masterKeys?: string[]) {
  const secrets: Secrets = { apiKey: API_KEY, ...(masterKeys && { masterKeys }) };
  const service = await start(defaultConfig({ port: 0, data, mode: 'test' }), secrets, {
    logger: silentLogger,
  });
  const doors = createServiceClient(service.url);
  return {
    ...doors,
    async [Symbol.asyncDispose]() {
      await doors[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

/** Every file of a folder, as bytes. */
function bytesIn(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(folder, name))]));
}

/** How a secret may look in a file: as it is, in hex, and in base64 of either alphabet wherever in it it begins. */
function spellingsOf(secret: string | Buffer): Buffer[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const shifted = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // What its neighbours would change is left out at either end.
    const kept = text.slice(shift === 0 ? 0 : 4, text.length - 4);
    return [kept, kept.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [bytes, ...[hex, hex.toUpperCase(), ...shifted].map((text) => Buffer.from(text))];
}

function findingsOf(files: Map<string, Buffer>, secret: string | Buffer): string[] {
  const spellings = spellingsOf(secret);
  return [...files].flatMap(([name, bytes]) =>
    spellings.some((text) => bytes.includes(text)) ? [name] : [],
  );
}

test('neither what signs nor what was signed is in the data folder, in any file and any spelling, running or stopped', async () => {
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
  // That it would be found is proved by what is there.
  expect(findingsOf(running, STREAM.key.id)).not.toEqual([]);
  expect(findingsOf(running, readFileSync(join(folder.path, 'master.key')))).toEqual(['master.key']);
  await signalbox[Symbol.asyncDispose]();
  for (const files of [running, bytesIn(folder.path)]) {
    for (const secret of secrets) expect(findingsOf(files, secret)).toEqual([]);
  }
});

/** Something of each kind that is under the master key, and whether all of it still opens. */
async function fill(doors: ServiceClient) {
  await createIssuer(doors, STREAM);
  const key = await createApiKey(doors);
  const own = (await mint(doors)).credential;
  return { key, own };
}

async function allOpen(doors: ServiceClient, { key, own }: { key: SigningApiKey; own: string }) {
  const credentials = [own, stream.createToken('ada'), await sign(key, { sub: 'ada' })];
  for (const credential of credentials) expect(await refusalCodeOf(doors, credential)).toBe('open');
}

async function useUnder(
  folder: string,
  masterKeys: string[] | undefined,
  filled: { key: SigningApiKey; own: string },
) {
  await using signalbox = await startUnder(folder, masterKeys);
  await allOpen(signalbox, filled);
}

test('under another master key the service does not start, says what to do, and harms nothing', async () => {
  using folder = createFolder();
  const signalbox = await startUnder(folder.path, [OLD]);
  const filled = await fill(signalbox);
  await signalbox[Symbol.asyncDispose]();
  for (const keys of [[NEW], [NEW, 'x'.repeat(32)], undefined])
    await expect(startUnder(folder.path, keys)).rejects.toThrow(OTHER_MASTER_KEY);
  await useUnder(folder.path, [OLD], filled);
});

test('a new master key takes over where the old one is named behind it', async () => {
  using folder = createFolder();
  const signalbox = await startUnder(folder.path, [OLD]);
  const filled = await fill(signalbox);
  await signalbox[Symbol.asyncDispose]();
  {
    await using changing = await startUnder(folder.path, [NEW, OLD]);
    await allOpen(changing, filled);
    await createIssuer(changing, OPENTOK);
    expect(await refusalCodeOf(changing, mintOpentok(opentokSessionId('lesson')))).toBe('open');
  }
  await useUnder(folder.path, [NEW, OLD], filled);
});

test('the key in the folder counts behind the one of the environment, and its loss is noticed', async () => {
  using folder = createFolder();
  const signalbox = await startUnder(folder.path);
  const filled = await fill(signalbox);
  await signalbox[Symbol.asyncDispose]();
  await useUnder(folder.path, undefined, filled);
  await useUnder(folder.path, [NEW], filled);
  rmSync(join(folder.path, 'master.key'));
  await expect(startUnder(folder.path)).rejects.toThrow(OTHER_MASTER_KEY);
});

test('a secret that is put into another row opens nothing there', async () => {
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
    // What each would sign in the name of the other, if its secret were the other’s.
    await sign({ id: keys[1]!.id, secret: keys[0]!.secret }, { sub: 'ada' }),
    await sign({ id: keys[0]!.id, secret: keys[1]!.secret }, { sub: 'ada' }),
  ];
  await signalbox[Symbol.asyncDispose]();
  swap(folder.path, 'issuer_keys', STREAM.key.id, second.id);
  swap(folder.path, 'api_keys', keys[0]!.id, keys[1]!.id);
  await using after = await startUnder(folder.path);
  for (const credential of credentials) expect(await refusalCodeOf(after, credential)).not.toBe('open');
  expect(await refusalCodeOf(after, await sign(signingKeyOf(API_KEY), { sub: 'ada' }))).toBe('open');
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
