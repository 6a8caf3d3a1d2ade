import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createApiKeyStore, type ApiKeyRow } from '../../src/projects/api-key-store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createChannel, mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { numbers, publishTo } from '../support/publish.ts';
import {
  codeOf,
  createApiKey,
  refusalCodeOf,
  sign,
  type SigningApiKey,
} from '../support/external-credentials.ts';
import { startService, type ServiceClient } from '../support/service.ts';
import { connectSocket, openSocket } from '../support/socket.ts';
import { TRANSPORTS } from '../support/transports.ts';

// Every request presents its key, so the key's row is cached from the first request until the key changes.

const VIEWER = '{ viewer { kind } }';
const REVOKE = `mutation ($id: ID!) { revokeApiKey(id: $id) { id } }`;
const ROTATE = `mutation ($id: ID!, $overlap: Int) { rotateApiKey(id: $id, overlapSeconds: $overlap) { secret } }`;

const revoke = ({ request }: ServiceClient, { id }: SigningApiKey) => request(REVOKE, { id });
const rotate = async ({ request }: ServiceClient, { id }: SigningApiKey, overlap: number): Promise<string> =>
  (await request(ROTATE, { id, overlap })).rotateApiKey.secret;

/** Presents a key or credential ten times concurrently; resolves to the distinct outcomes. */
async function present(service: ServiceClient, secret: string): Promise<Set<string>> {
  return new Set(await Promise.all(numbers(10).map(() => refusalCodeOf(service, secret))));
}

const OPEN = new Set(['open']);
const REFUSED = new Set(['UNAUTHENTICATED']);

test('refuses a cached key over HTTP, SSE and WebSocket once revokeApiKey returned', async () => {
  await using signalbox = await startService();
  const [key, other] = [await createApiKey(signalbox), await createApiKey(signalbox)];
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
  expect(await present(signalbox, other.secret)).toEqual(OPEN);
  await revoke(signalbox, key);
  expect(await present(signalbox, key.secret)).toEqual(REFUSED);
  for (const transport of [TRANSPORTS['HTTP']!, TRANSPORTS['SSE']!]) {
    expect(codeOf(await transport(signalbox, key.secret, { query: VIEWER }))).toBe('UNAUTHENTICATED');
    expect(codeOf(await transport(signalbox, other.secret, { query: VIEWER }))).toBeUndefined();
  }
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { apiKey: key.secret } });
  expect(await socket.closed).toMatchObject({ code: 4401 });
  using _ = await connectSocket(signalbox, { apiKey: other.secret });
});

/** Presents a key without pause until `until` settles, and once more; resolves to the start and the outcome of each request. */
async function presentContinuously(service: ServiceClient, secret: string, until: Promise<unknown>) {
  const requests: { startedAt: number; outcome: string }[] = [];
  const state = { isOver: false };
  const over = until.then(() => (state.isOver = true));
  await Promise.all(
    numbers(8).map(async () => {
      for (let remaining = 2; remaining > 0; remaining -= state.isOver ? 1 : 0) {
        const startedAt = performance.now();
        requests.push({ startedAt, outcome: await refusalCodeOf(service, secret) });
      }
    }),
  );
  await over;
  return requests;
}

test.each(['revocation', 'rotation'])(
  'refuses every request sent after the %s of a continuously presented key returned',
  async (change) => {
    await using signalbox = await startService();
    for (let round = 0; round < 10; round++) {
      const key = await createApiKey(signalbox);
      expect(await refusalCodeOf(signalbox, key.secret)).toBe('open');
      let endedAt = Number.POSITIVE_INFINITY;
      const end = (async () => {
        await (change === 'revocation' ? revoke(signalbox, key) : rotate(signalbox, key, 0));
        endedAt = performance.now();
      })();
      const requests = await presentContinuously(signalbox, key.secret, end);
      const after = requests.filter(({ startedAt }) => startedAt > endedAt);
      expect(after.length).toBeGreaterThan(0);
      expect(new Set(after.map(({ outcome }) => outcome))).toEqual(REFUSED);
    }
  },
);

test('refuses a cached key when its overlap ends, and still accepts its successor', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const key = await createApiKey(signalbox);
  // The first requests cache the key without an expiry, the next ones with the expiry that the rotation set.
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
  const successor = await rotate(signalbox, key, 60);
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
  await clock.advance(59_999);
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
  expect(await present(signalbox, successor)).toEqual(OPEN);
  await clock.advance(1);
  expect(await present(signalbox, key.secret)).toEqual(REFUSED);
  expect(await present(signalbox, successor)).toEqual(OPEN);
  // An expired key can still be revoked, which does not affect its successor.
  await revoke(signalbox, key);
  expect(await present(signalbox, successor)).toEqual(OPEN);
});

test('refuses credentials signed with a cached key once the key is revoked', async () => {
  await using signalbox = await startService();
  const [key, other] = [await createApiKey(signalbox), await createApiKey(signalbox)];
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: 'ada', iat: now, exp: now + 600 };
  const [credential, otherCredential] = [await sign(key, claims), await sign(other, claims)];
  expect(await present(signalbox, credential)).toEqual(OPEN);
  expect(await present(signalbox, otherCredential)).toEqual(OPEN);
  await revoke(signalbox, key);
  expect(await present(signalbox, credential)).not.toContain('open');
  expect(await present(signalbox, otherCredential)).toEqual(OPEN);
});

test('refuses a wrong secret with the id of a cached key', async () => {
  await using signalbox = await startService();
  const key = await createApiKey(signalbox);
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
  expect(await present(signalbox, `${key.id}.${'0'.repeat(43)}`)).toEqual(REFUSED);
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
});

test('refuses to publish with a key once it is revoked', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const key = await createApiKey(signalbox);
  const token = await mint(signalbox, { channels: ['room'] });
  await publishTo(signalbox, { channel: 'room' }, 'before', {}, key.secret);
  await revoke(signalbox, key);
  await expect(publishTo(signalbox, { channel: 'room' }, 'after', {}, key.secret)).rejects.toThrow();
  const history = `{ channel(id: "room") { messages(last: 10) { nodes { data } } } }`;
  const { channel } = await signalbox.request(history, {}, token.credential);
  expect(channel.messages.nodes).toEqual([{ data: 'before' }]);
});

const row = (id: string): ApiKeyRow => ({
  id,
  projectId: 'default',
  name: 'test',
  operator: false,
  rootKeyId: id,
  createdAt: 1,
  expiresAt: null,
  revokedAt: null,
  scopes: null,
  channels: null,
  lastsUntil: null,
  secretHash: `hash of ${id}`,
  sealedSecret: null,
});

test('finds the latest version of every row when more rows are read than the cache holds', async () => {
  const ids = numbers(1500).map((number) => `key_${number}`);
  const id = fc.constantFrom(...ids.slice(0, 3), ...ids.slice(-3));
  const operation = fc.record({
    id,
    /** Null: the row is only read. */
    change: fc.option(
      fc.record(
        { expiresAt: fc.nat(9), revokedAt: fc.nat(9), secretHash: fc.string() },
        { requiredKeys: [] },
      ),
    ),
  });
  await using store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const rows = createApiKeyStore(store);
  const model = new Map(ids.map((one) => [one, row(one)]));
  for (const one of model.values()) expect(await rows.insert(one)).toBe(true);
  // Reads more rows than the cache holds, twice.
  for (const one of [...ids, ...ids]) expect(await rows.findInAnyProject(one)).toEqual(model.get(one));
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 20 }), async (operations) => {
      for (const { id: one, change } of operations) {
        if (change && Object.keys(change).length > 0) {
          const changed = { ...model.get(one)!, ...change };
          expect(await rows.update('default', one, change)(store)).toEqual(changed);
          rows.invalidate(one);
          model.set(one, changed);
        }
        expect(await rows.findInAnyProject(one)).toEqual(model.get(one));
      }
      for (const one of ids.slice(-3)) expect(await rows.findInAnyProject(one)).toEqual(model.get(one));
    }),
  );
  expect(await rows.findInAnyProject('key_absent')).toBeUndefined();
  // A lookup that found nothing must not be cached.
  expect(await rows.insert(row('key_absent'))).toBe(true);
  expect(await rows.findInAnyProject('key_absent')).toEqual(row('key_absent'));
});
