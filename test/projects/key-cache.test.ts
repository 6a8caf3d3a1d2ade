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

// Every request presents its key, so its row is kept from the first on, until it is changed.

const WHO = '{ viewer { kind } }';
const REVOKE = `mutation ($id: ID!) { revokeApiKey(id: $id) { id } }`;
const ROTATE = `mutation ($id: ID!, $overlap: Int) { rotateApiKey(id: $id, overlapSeconds: $overlap) { secret } }`;

const revoke = ({ request }: ServiceClient, { id }: SigningApiKey) => request(REVOKE, { id });
const rotate = async ({ request }: ServiceClient, { id }: SigningApiKey, overlap: number): Promise<string> =>
  (await request(ROTATE, { id, overlap })).rotateApiKey.secret;

/** Presents it often and side by side. */
async function present(doors: ServiceClient, secret: string): Promise<Set<string>> {
  return new Set(await Promise.all(numbers(10).map(() => refusalCodeOf(doors, secret))));
}

const OPEN = new Set(['open']);
const REFUSED = new Set(['UNAUTHENTICATED']);

test('a key that was presented is refused at every door once its revocation has returned', async () => {
  await using signalbox = await startService();
  const [key, other] = [await createApiKey(signalbox), await createApiKey(signalbox)];
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
  expect(await present(signalbox, other.secret)).toEqual(OPEN);
  await revoke(signalbox, key);
  expect(await present(signalbox, key.secret)).toEqual(REFUSED);
  for (const door of [TRANSPORTS['HTTP']!, TRANSPORTS['SSE']!]) {
    expect(codeOf(await door(signalbox, key.secret, { query: WHO }))).toBe('UNAUTHENTICATED');
    expect(codeOf(await door(signalbox, other.secret, { query: WHO }))).toBeUndefined();
  }
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { apiKey: key.secret } });
  expect(await socket.closed).toMatchObject({ code: 4401 });
  using _ = await connectSocket(signalbox, { apiKey: other.secret });
});

/** Whether it was let in, of presentings that never cease: when each began, and what was said to it. */
async function presentAlways(doors: ServiceClient, secret: string, until: Promise<unknown>) {
  const seen: { began: number; door: string }[] = [];
  const state = { isOver: false };
  const over = until.then(() => (state.isOver = true));
  await Promise.all(
    numbers(8).map(async () => {
      // Once more after the end.
      for (let more = 2; more > 0; more -= state.isOver ? 1 : 0) {
        const began = performance.now();
        seen.push({ began, door: await refusalCodeOf(doors, secret) });
      }
    }),
  );
  await over;
  return seen;
}

test.each(['revocation', 'rotation'])(
  'while it is presented without cease, nothing that is sent after its %s has returned is let in',
  async (what) => {
    await using signalbox = await startService();
    for (let round = 0; round < 10; round++) {
      const key = await createApiKey(signalbox);
      expect(await refusalCodeOf(signalbox, key.secret)).toBe('open');
      let ended = Number.POSITIVE_INFINITY;
      const ending = (async () => {
        await (what === 'revocation' ? revoke(signalbox, key) : rotate(signalbox, key, 0));
        ended = performance.now();
      })();
      const seen = await presentAlways(signalbox, key.secret, ending);
      const after = seen.filter(({ began }) => began > ended);
      expect(after.length).toBeGreaterThan(0);
      expect(new Set(after.map(({ door }) => door))).toEqual(REFUSED);
    }
  },
);

test('a key that is kept ends when its overlap does, its successor does not', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const key = await createApiKey(signalbox);
  // Kept as a key without an end, and once it is rotated as one with an end.
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
  const successor = await rotate(signalbox, key, 60);
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
  await clock.advance(59_999);
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
  expect(await present(signalbox, successor)).toEqual(OPEN);
  await clock.advance(1);
  expect(await present(signalbox, key.secret)).toEqual(REFUSED);
  expect(await present(signalbox, successor)).toEqual(OPEN);
  // What has ended may still be revoked, and its successor is another key.
  await revoke(signalbox, key);
  expect(await present(signalbox, successor)).toEqual(OPEN);
});

test('what a kept key has signed is refused once the key is revoked', async () => {
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

test('a wrong secret behind the id of a kept key opens nothing', async () => {
  await using signalbox = await startService();
  const key = await createApiKey(signalbox);
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
  expect(await present(signalbox, `${key.id}.${'0'.repeat(43)}`)).toEqual(REFUSED);
  expect(await present(signalbox, key.secret)).toEqual(OPEN);
});

test('a revocation ends what the key says, too: nothing is published with it any more', async () => {
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
  secretHash: `hash of ${id}`,
  sealedSecret: null,
});

test('a row that is found is what the last change has made of it, however many are kept', async () => {
  const some = numbers(1500).map((number) => `key_${number}`);
  const id = fc.constantFrom(...some.slice(0, 3), ...some.slice(-3));
  const act = fc.record({
    id,
    /** Null: it is only presented. */
    change: fc.option(
      fc.record(
        { expiresAt: fc.nat(9), revokedAt: fc.nat(9), secretHash: fc.string() },
        { requiredKeys: [] },
      ),
    ),
  });
  await using store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const rows = createApiKeyStore(store);
  const model = new Map(some.map((one) => [one, row(one)]));
  for (const one of model.values()) expect(await rows.insert(one)).toBe(true);
  // More than are kept, and all of them again.
  for (const one of [...some, ...some]) expect(await rows.findAnywhere(one)).toEqual(model.get(one));
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 20 }), async (acts) => {
      for (const { id: one, change } of acts) {
        if (change && Object.keys(change).length > 0) {
          const changed = { ...model.get(one)!, ...change };
          expect(await rows.update('default', one, change)).toEqual(changed);
          model.set(one, changed);
        }
        expect(await rows.findAnywhere(one)).toEqual(model.get(one));
      }
      for (const one of some.slice(-3)) expect(await rows.findAnywhere(one)).toEqual(model.get(one));
    }),
  );
  expect(await rows.findAnywhere('key_nobody')).toBeUndefined();
  // A key that was looked for in vain is found once it is made.
  expect(await rows.insert(row('key_nobody'))).toBe(true);
  expect(await rows.findAnywhere('key_nobody')).toEqual(row('key_nobody'));
});
