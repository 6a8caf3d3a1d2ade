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

/** Live with each credential: by WebSocket, and with the first one by SSE too. */
async function listen(signalbox: TestService, credentials: readonly string[]) {
  const sockets = credentials.map((token) => queueResults(signalbox.client({ token }), EVENTS));
  const sse = queueResults(sseClient(signalbox, credentials[0]), EVENTS);
  for (const events of [...sockets, sse]) await events.next();
  return { sockets, sse };
}

/** The channels that a token is subscribed to, as its backend sees them. */
async function membersOf({ request }: ServiceClient, channel: string): Promise<string[]> {
  const answer = await request(`query ($c: ID!) { channel(id: $c) { tokens { nodes { id } } } }`, {
    c: channel,
  });
  return answer.channel.tokens.nodes.map(({ id }: { id: string }) => id);
}

test('keys change one after the other: what the old one signed ends when its overlap does, and the user stays who they are', async () => {
  await using signalbox = await startService({ expiryWarningSeconds: 0 }, { clock });
  const issuer = await createIssuer(signalbox, TWILIO);
  await createChannel(signalbox, 'document');
  const old = mint();
  const { id } = await tokenOf(signalbox, old);
  await subscribeToken(signalbox, 'document', id);
  await addKey(signalbox, issuer, SECOND);
  const young = mint(SECOND);
  expect((await tokenOf(signalbox, young)).id).toBe(id);
  const { sockets, sse } = await listen(signalbox, [old, young]);
  await removeKey(signalbox, issuer, TWILIO.key.id, 60);
  await clock.advance(60_000 - 1);
  expect(await publish(signalbox, 'document', 'to-all')).toBe(3);
  expect(await refusalCodeOf(signalbox, old)).toBe('open');
  await clock.advance(1);
  expect(await publish(signalbox, 'document', 'to-one')).toBe(1);
  expect(await sockets[0]!.ended).toMatchObject({ code: 4403 });
  expect(await sse.ended).toMatchObject([{ extensions: { code: 'TOKEN_EXPIRED' } }]);
  expect(await refusalCodeOf(signalbox, old)).toBe('UNAUTHENTICATED');
  expect((await sockets[1]!.next()).events.message.event).toBe('to-all');
  expect((await sockets[1]!.next()).events.message.event).toBe('to-one');
  expect(await membersOf(signalbox, 'document')).toEqual([id]);
});

test('a key that is removed without an overlap, or in the midst of one, ends what it signed at once', async () => {
  await using signalbox = await startService({}, { clock });
  const issuer = await createIssuer(signalbox, TWILIO);
  await addKey(signalbox, issuer, SECOND);
  const { sockets, sse } = await listen(signalbox, [mint(), mint(SECOND)]);
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

test('with an issuer goes all that it let in, and nothing else; the records stay, with what they were subscribed to', async () => {
  await using signalbox = await startService({}, { clock });
  const issuer = await createIssuer(signalbox, TWILIO);
  await createIssuer(signalbox, OPENTOK);
  await addKey(signalbox, issuer, SECOND);
  await createChannel(signalbox, 'document');
  const { id } = await tokenOf(signalbox, mint());
  await subscribeToken(signalbox, 'document', id);
  const guest = mintOpentok(opentokSessionId('lesson'));
  const { sockets, sse } = await listen(signalbox, [mint(), mint(SECOND), guest]);

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

  // Another issuer of the same keys is somebody else: its users are not those of the first.
  await createIssuer(signalbox, TWILIO);
  expect((await tokenOf(signalbox, mint())).id).not.toBe(id);
});

test('what is removed while a client is on its way in lets nobody in', async () => {
  await using signalbox = await startService({}, { clock });
  for (let attempt = 0; attempt < 10; attempt++) {
    const issuer = await createIssuer(signalbox, TWILIO);
    const arrivals = [1, 2, 3].map(() => queueResults(signalbox.client({ token: mint() }), EVENTS));
    await removeIssuer(signalbox, issuer);
    for (const arrival of arrivals)
      expect([4401, 4403]).toContain(((await arrival.ended) as { code: number }).code);
  }
});
