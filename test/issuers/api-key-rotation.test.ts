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

/** Opens an `events` subscription with a credential; resolves after its first event. */
async function subscribe(service: ServiceClient, token: string) {
  const events = queueResults(service.client({ token }), EVENTS);
  return { events, token: (await events.next()).events.token as { id: string } };
}

test('the successor of a rotated key signs for the same users, and credentials of the old key work until the overlap ends', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ expiryWarningSeconds: 0 }, { clock });
  const old = await createApiKey(signalbox);
  const first = await sign(old, { sub: 'ada' });
  const early = await subscribe(signalbox, first);
  const successor = await rotate(signalbox, old, 60);
  const second = await sign(successor, { sub: 'ada' });
  const [late, renewed] = [await subscribe(signalbox, first), await subscribe(signalbox, second)];
  const id = early.token.id;
  expect([late.token.id, renewed.token.id, (await tokenOf(signalbox, second)).issuer]).toEqual([
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
  expect((await renewed.events.next()).events.message.event).toBe('last');
  expect((await renewed.events.next()).events.message.event).toBe('after');
  expect(await refusalCodeOf(signalbox, first)).toBe('UNAUTHENTICATED');
  expect(await refusalCodeOf(signalbox, second)).toBe('open');
});

test('a credential that expires during the overlap closes its connection with TOKEN_EXPIRED at its exp', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ expiryWarningSeconds: 0 }, { clock });
  const old = await createApiKey(signalbox);
  const { events, token } = await subscribe(
    signalbox,
    await sign(old, { sub: 'ada', exp: clock.now() / 1000 + 10 }),
  );
  await rotate(signalbox, old, 60);
  await clock.advance(10_000);
  expect(await isOnline(signalbox, token.id)).toBe(false);
  expect((await events.next()).events).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_EXPIRED' });
});

test('delivers TokenExpiring before the overlap of the old key ends, and keeps the connection after reauthenticate with the new key', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const old = await createApiKey(signalbox);
  const client = signalbox.client({ token: await sign(old, { sub: 'ada' }) });
  const events = queueResults(client, EVENTS);
  const { token } = (await events.next()).events;
  const successor = await rotate(signalbox, old, 600);
  await clock.advance(420_000);
  expect((await events.next()).events).toEqual({
    __typename: 'TokenExpiring',
    expiresAt: '2030-01-01T00:10:00.000Z',
  });
  const renewed = queueResults(
    client,
    `mutation ($credential: String!) { reauthenticate(credential: $credential) { token { id } } }`,
    { credential: await sign(successor, { sub: 'ada' }) },
  );
  expect(await renewed.next()).toEqual({ reauthenticate: { token: { id: token.id } } });
  await clock.advance(180_000);
  expect(await sendDirect(signalbox, token.id, 'still-here')).toBe(1);
});

test('closes only the connections of the key that is rotated without overlap or revoked', async () => {
  await using signalbox = await startService();
  const [a, b, c] = [
    await createApiKey(signalbox),
    await createApiKey(signalbox),
    await createApiKey(signalbox),
  ];
  const credentials = await Promise.all([a, b, c].map((key) => sign(key, { sub: 'ada' })));
  const connections = [];
  for (const credential of credentials) connections.push(await subscribe(signalbox, credential));
  const [first, second, third] = connections;
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

test('the same sub under two unrelated API keys is two users', async () => {
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

test('keeps rotated keys, their overlaps and token records across restarts', async () => {
  using folder = createFolder();
  const clock = createManualClock();
  let keys: SigningApiKey[] = [];
  const ids = new Set<string>();
  for (let start = 0; start < 3; start++) {
    await using signalbox = await startService({ data: folder.path }, { clock });
    keys =
      keys.length === 0
        ? [await createApiKey(signalbox)]
        : [...keys, await rotate(signalbox, keys.at(-1)!, 60)];
    for (const key of keys) ids.add((await tokenOf(signalbox, await sign(key, { sub: 'ada' }))).id);
  }
  expect(ids.size).toBe(1);
  await using signalbox = await startService({ data: folder.path, expiryWarningSeconds: 0 }, { clock });
  const { events } = await subscribe(signalbox, await sign(keys[0]!, { sub: 'ada' }));
  await clock.advance(60_000);
  expect(await events.ended).toMatchObject({ code: 4403 });
  const outcomes = keys.map(async (key) => refusalCodeOf(signalbox, await sign(key, { sub: 'ada' })));
  expect(await Promise.all(outcomes)).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'open']);
});
