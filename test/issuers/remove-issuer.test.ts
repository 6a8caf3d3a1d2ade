import { afterEach, beforeEach, expect, test } from 'vitest';
import { createChannel, isOnline, publish, subscribeToken, sendDirect } from '../support/backend.ts';
import { type ManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import {
  createIssuer,
  createSystemClock,
  refusalCodeOf,
  EVENTS,
  mintOpentok,
  mintTwilio,
  OPENTOK,
  opentokSessionId,
  tokenOf,
  TWILIO,
} from '../support/external-credentials.ts';
import { startService, type ServiceClient, type TestService } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

let clock: ManualClock & Disposable;
beforeEach(() => void (clock = createSystemClock()));
afterEach(() => clock[Symbol.dispose]());

const SECOND = { id: `SK${'1'.repeat(32)}`, secret: 'another secret of Twilio' };
const mint = (key = TWILIO.key) => mintTwilio({ identity: 'ada', ttl: 86_400 }, { key });

async function addKey({ request }: ServiceClient, issuer: string, key: object): Promise<void> {
  await request(`mutation ($i: ID!, $key: IssuerKeyInput!) { addIssuerKey(issuer: $i, key: $key) { id } }`, {
    i: issuer,
    key,
  });
}

async function removeKey(
  { request }: ServiceClient,
  issuer: string,
  key: string,
  overlapSeconds?: number,
): Promise<void> {
  await request(
    `mutation ($i: ID!, $k: ID!${overlapSeconds === undefined ? '' : ', $s: Int!'}) {
      removeIssuerKey(issuer: $i, key: $k${overlapSeconds === undefined ? '' : ', overlapSeconds: $s'}) { id }
    }`,
    { i: issuer, k: key, s: overlapSeconds },
  );
}

const removeIssuer = ({ request }: ServiceClient, issuer: string) =>
  request(`mutation ($i: ID!) { removeIssuer(issuer: $i) { id } }`, { i: issuer });

/** Opens an `events` subscription with each credential over WebSocket, and with the first one over SSE too. */
async function subscribeAll(signalbox: TestService, credentials: readonly string[]) {
  const sockets = credentials.map((token) => queueResults(signalbox.client({ token }), EVENTS));
  const sse = queueResults(sseClient(signalbox, credentials[0]), EVENTS);
  for (const events of [...sockets, sse]) await events.next();
  return { sockets, sse };
}

/** The ids of the tokens that are subscribed to a channel, queried by its backend. */
async function membersOf({ request }: ServiceClient, channel: string): Promise<string[]> {
  const answer = await request(`query ($c: ID!) { channel(id: $c) { tokens { nodes { id } } } }`, {
    c: channel,
  });
  return answer.channel.tokens.nodes.map(({ id }: { id: string }) => id);
}

test('closes connections of the old key when its overlap ends, and keeps the token record for the new key', async () => {
  await using signalbox = await startService({ expiryWarningSeconds: 0 }, { clock });
  const issuer = await createIssuer(signalbox, TWILIO);
  await createChannel(signalbox, 'document');
  const byOldKey = mint();
  const { id } = await tokenOf(signalbox, byOldKey);
  await subscribeToken(signalbox, 'document', id);
  await addKey(signalbox, issuer, SECOND);
  const byNewKey = mint(SECOND);
  expect((await tokenOf(signalbox, byNewKey)).id).toBe(id);
  const { sockets, sse } = await subscribeAll(signalbox, [byOldKey, byNewKey]);
  await removeKey(signalbox, issuer, TWILIO.key.id, 60);
  await clock.advance(60_000 - 1);
  expect(await publish(signalbox, 'document', 'to-all')).toBe(3);
  expect(await refusalCodeOf(signalbox, byOldKey)).toBe('open');
  await clock.advance(1);
  expect(await publish(signalbox, 'document', 'to-one')).toBe(1);
  expect(await sockets[0]!.ended).toMatchObject({ code: 4403 });
  expect(await sse.ended).toMatchObject([{ extensions: { code: 'TOKEN_EXPIRED' } }]);
  expect(await refusalCodeOf(signalbox, byOldKey)).toBe('UNAUTHENTICATED');
  expect((await sockets[1]!.next()).events.message.event).toBe('to-all');
  expect((await sockets[1]!.next()).events.message.event).toBe('to-one');
  expect(await membersOf(signalbox, 'document')).toEqual([id]);
});

test('closes connections of a key at once when removeIssuerKey has no overlap or cuts one short', async () => {
  await using signalbox = await startService({}, { clock });
  const issuer = await createIssuer(signalbox, TWILIO);
  await addKey(signalbox, issuer, SECOND);
  const { sockets, sse } = await subscribeAll(signalbox, [mint(), mint(SECOND)]);
  const { id } = await tokenOf(signalbox, mint());
  await removeKey(signalbox, issuer, TWILIO.key.id);
  expect(await sockets[0]!.ended).toMatchObject({ code: 4403 });
  expect(await sse.ended).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect(await sendDirect(signalbox, id, 'sentinel')).toBe(1);
  expect((await sockets[1]!.next()).events.message.event).toBe('sentinel');

  await removeKey(signalbox, issuer, SECOND.id, 3600);
  expect(await refusalCodeOf(signalbox, mint(SECOND))).toBe('open');
  await removeKey(signalbox, issuer, SECOND.id, 0);
  await sockets[1]!.until(({ events }) => events.reason === 'KEY_ENDED');
  expect(await sockets[1]!.ended).toMatchObject({ code: 4403 });
  expect(await refusalCodeOf(signalbox, mint(SECOND))).toBe('UNAUTHENTICATED');
});

test('removeIssuer closes the connections of that issuer only, and keeps token records and memberships', async () => {
  await using signalbox = await startService({}, { clock });
  const issuer = await createIssuer(signalbox, TWILIO);
  await createIssuer(signalbox, OPENTOK);
  await addKey(signalbox, issuer, SECOND);
  await createChannel(signalbox, 'document');
  const { id } = await tokenOf(signalbox, mint());
  await subscribeToken(signalbox, 'document', id);
  const guest = mintOpentok(opentokSessionId('lesson'));
  const { sockets, sse } = await subscribeAll(signalbox, [mint(), mint(SECOND), guest]);

  await removeIssuer(signalbox, issuer);
  for (const events of sockets.slice(0, 2)) expect(await events.ended).toMatchObject({ code: 4403 });
  expect(await sse.ended).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  for (const key of [TWILIO.key, SECOND])
    expect(await refusalCodeOf(signalbox, mint(key))).toBe('UNAUTHENTICATED');
  expect(await isOnline(signalbox, id)).toBe(false);
  expect(await membersOf(signalbox, 'document')).toEqual([id]);
  const { token } = await signalbox.request(
    `query ($id: ID!) { token(id: $id) { identity issuer revokedAt } }`,
    { id },
  );
  expect(token).toEqual({ identity: 'ada', issuer, revokedAt: null });
  const other = await tokenOf(signalbox, guest);
  expect(await sendDirect(signalbox, other.id, 'still-here')).toBe(1);

  // A new issuer with the same keys has users of its own.
  await createIssuer(signalbox, TWILIO);
  expect((await tokenOf(signalbox, mint())).id).not.toBe(id);
});

test('refuses or closes every connection that is opened while its issuer is removed (10 runs)', async () => {
  await using signalbox = await startService({}, { clock });
  for (let run = 0; run < 10; run++) {
    const issuer = await createIssuer(signalbox, TWILIO);
    const attempts = [1, 2, 3].map(() => queueResults(signalbox.client({ token: mint() }), EVENTS));
    await removeIssuer(signalbox, issuer);
    for (const events of attempts)
      expect([4401, 4403]).toContain(((await events.ended) as { code: number }).code);
  }
});
