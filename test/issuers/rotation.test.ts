import { expect, test } from 'vitest';
import { isOnline, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { createFolder } from '../support/folder.ts';
import {
  createApiKey,
  refusalCodeOf,
  EVENTS,
  sign,
  signingKeyOf,
  tokenOf,
  type SigningApiKey,
} from '../support/external-credentials.ts';
import { startService, type ServiceClient } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

async function rotate({ request }: ServiceClient, { id }: SigningApiKey, overlapSeconds: number) {
  const { rotateApiKey } = await request(
    `mutation ($id: ID!, $s: Int!) { rotateApiKey(id: $id, overlapSeconds: $s) { secret apiKey { canSign } } }`,
    { id, s: overlapSeconds },
  );
  expect(rotateApiKey.apiKey.canSign).toBe(true);
  return signingKeyOf(rotateApiKey.secret);
}

const revokeKey = ({ request }: ServiceClient, { id }: SigningApiKey) =>
  request(`mutation ($id: ID!) { revokeApiKey(id: $id) { id } }`, { id });

/** A live socket of a credential, which has had its first event. */
async function listen(doors: ServiceClient, token: string) {
  const events = queueResults(doors.client({ token }), EVENTS);
  return { events, token: (await events.next()).events.token as { id: string } };
}

test('a successor signs for the same users, and what the old key signed goes on until the overlap ends', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ expiryWarningSeconds: 0 }, { clock });
  const old = await createApiKey(signalbox);
  const first = await sign(old, { sub: 'ada' });
  const early = await listen(signalbox, first);
  const young = await rotate(signalbox, old, 60);
  const second = await sign(young, { sub: 'ada' });
  const [late, fresh] = [await listen(signalbox, first), await listen(signalbox, second)];
  const id = early.token.id;
  expect([late.token.id, fresh.token.id, (await tokenOf(signalbox, second)).issuer]).toEqual([
    id,
    id,
    old.id,
  ]);

  await clock.advance(60_000 - 1);
  expect(await sendDirect(signalbox, id, 'last')).toBe(3);
  expect(await refusalCodeOf(signalbox, first)).toBe('open');
  await clock.advance(1);
  expect(await sendDirect(signalbox, id, 'after')).toBe(1);
  for (const { events } of [early, late]) {
    expect((await events.next()).events.message.event).toBe('last');
    expect((await events.next()).events.__typename).toBe('Disconnecting');
    expect(await events.ended).toMatchObject({ code: 4403 });
  }
  expect((await fresh.events.next()).events.message.event).toBe('last');
  expect((await fresh.events.next()).events.message.event).toBe('after');
  expect(await refusalCodeOf(signalbox, first)).toBe('UNAUTHENTICATED');
  expect(await refusalCodeOf(signalbox, second)).toBe('open');
});

test('a credential that ends before the overlap does ends when it says', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ expiryWarningSeconds: 0 }, { clock });
  const old = await createApiKey(signalbox);
  const { events, token } = await listen(
    signalbox,
    await sign(old, { sub: 'ada', exp: clock.now() / 1000 + 10 }),
  );
  await rotate(signalbox, old, 60);
  await clock.advance(10_000);
  expect(await isOnline(signalbox, token.id)).toBe(false);
  expect((await events.next()).events).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_EXPIRED' });
});

test('whoever came with the old key is told before its overlap ends, and a credential of the new one keeps the socket', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const old = await createApiKey(signalbox);
  const client = signalbox.client({ token: await sign(old, { sub: 'ada' }) });
  const events = queueResults(client, EVENTS);
  const { token } = (await events.next()).events;
  const young = await rotate(signalbox, old, 600);
  await clock.advance(420_000);
  expect((await events.next()).events).toEqual({
    __typename: 'TokenExpiring',
    expiresAt: '2030-01-01T00:10:00.000Z',
  });
  const renewed = queueResults(
    client,
    `mutation ($credential: String!) { reauthenticate(credential: $credential) { token { id } } }`,
    { credential: await sign(young, { sub: 'ada' }) },
  );
  expect(await renewed.next()).toEqual({ reauthenticate: { token: { id: token.id } } });
  await clock.advance(180_000);
  expect(await sendDirect(signalbox, token.id, 'still-here')).toBe(1);
});

test('without an overlap, and when a key is revoked, what it signed ends at once and what others signed does not', async () => {
  await using signalbox = await startService();
  const [a, b, c] = [
    await createApiKey(signalbox),
    await createApiKey(signalbox),
    await createApiKey(signalbox),
  ];
  const credentials = await Promise.all([a, b, c].map((key) => sign(key, { sub: 'ada' })));
  const live = [];
  for (const credential of credentials) live.push(await listen(signalbox, credential));
  const [first, second, third] = live;
  const sse = queueResults(sseClient(signalbox, credentials[1]), EVENTS);
  await sse.next();

  const successor = await rotate(signalbox, a, 0);
  expect(await first!.events.ended).toMatchObject({ code: 4403 });
  await revokeKey(signalbox, b);
  expect(await second!.events.ended).toMatchObject({ code: 4403 });
  expect(await sse.ended).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect(await Promise.all(credentials.map((credential) => refusalCodeOf(signalbox, credential)))).toEqual([
    'UNAUTHENTICATED',
    'UNAUTHENTICATED',
    'open',
  ]);
  expect(await sendDirect(signalbox, third!.token.id, 'still-here')).toBe(1);
  expect((await tokenOf(signalbox, await sign(successor, { sub: 'ada' }))).id).toBe(first!.token.id);
});

test('one name under two keys that have nothing to do with each other is two users', async () => {
  await using signalbox = await startService();
  const [a, b] = [await createApiKey(signalbox), await createApiKey(signalbox)];
  const [one, other] = [
    await tokenOf(signalbox, await sign(a, { sub: 'ada' })),
    await tokenOf(signalbox, await sign(b, { sub: 'ada' })),
  ];
  expect([one.issuer, other.issuer]).toEqual([a.id, b.id]);
  expect(one.id).not.toBe(other.id);
  const { tokens } = await signalbox.request(`{ tokens(identity: "ada") { nodes { id } } }`);
  expect(tokens.nodes.map(({ id }: any) => id).toSorted()).toEqual([one.id, other.id].toSorted());
});

test('a row of rotations, its overlaps and its records outlive a restart', async () => {
  using folder = createFolder();
  const clock = createManualClock();
  let keys: SigningApiKey[] = [];
  const ids = new Set<string>();
  for (let run = 0; run < 3; run++) {
    await using signalbox = await startService({ data: folder.path }, { clock });
    keys =
      keys.length === 0
        ? [await createApiKey(signalbox)]
        : [...keys, await rotate(signalbox, keys.at(-1)!, 60)];
    for (const key of keys) ids.add((await tokenOf(signalbox, await sign(key, { sub: 'ada' }))).id);
  }
  expect(ids.size).toBe(1);
  await using signalbox = await startService({ data: folder.path, expiryWarningSeconds: 0 }, { clock });
  const { events } = await listen(signalbox, await sign(keys[0]!, { sub: 'ada' }));
  await clock.advance(60_000);
  expect(await events.ended).toMatchObject({ code: 4403 });
  const doors = keys.map(async (key) => refusalCodeOf(signalbox, await sign(key, { sub: 'ada' })));
  expect(await Promise.all(doors)).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'open']);
});
