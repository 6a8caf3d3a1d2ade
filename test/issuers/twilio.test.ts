import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createChannel,
  isOnline,
  publish,
  revokeToken,
  subscribeToken,
  sendDirect,
} from '../support/backend.ts';
import { type ManualClock } from '../support/clock.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import { dissect, forge } from '../support/forge.ts';
import { publishTo, publishOnSocket } from '../support/publish.ts';
import {
  createIssuer,
  createSystemClock,
  refusalCodeOf,
  EVENTS,
  mintTwilio,
  refusalMessageOf,
  tokenOf,
  TWILIO,
} from '../support/external-credentials.ts';
import { startService } from '../support/service.ts';

let clock: ManualClock & Disposable;
beforeEach(() => void (clock = createSystemClock()));
afterEach(() => clock[Symbol.dispose]());

const next = async (events: ResultQueue<any>) => (await events.next()).events;

test.each(['HS256', 'HS384', 'HS512'])(
  'an access token of npm twilio signed with %s connects, receives and publishes',
  async (algorithm) => {
    await using signalbox = await startService({}, { clock });
    const issuer = await createIssuer(signalbox, TWILIO);
    await createChannel(signalbox, 'document');
    const client = signalbox.client({ token: mintTwilio({ identity: 'ada' }, { algorithm }) });
    const events = queueResults(client, EVENTS);
    const { token } = await next(events);
    expect(token).toMatchObject({ identity: 'ada', role: 'PUBLISHER' });
    expect(await isOnline(signalbox, token.id)).toBe(true);
    expect(
      (await signalbox.request(`{ tokens(identity: "ada") { nodes { id issuer } } }`)).tokens.nodes,
    ).toEqual([{ id: token.id, issuer }]);

    await subscribeToken(signalbox, 'document', token.id);
    expect(await next(events)).toEqual({ __typename: 'ChannelAvailable', channel: { id: 'document' } });
    await publish(signalbox, 'document', 'updated');
    await publishOnSocket(client, { channel: 'document' }, null, { event: 'typed' });
    expect(await next(events)).toMatchObject({ message: { event: 'updated' } });
    expect(await next(events)).toMatchObject({ message: { event: 'typed', sender: { identity: 'ada' } } });
    await sendDirect(signalbox, token.id, 'to-the-token');
    await publishTo(signalbox, { identity: 'ada' }, null, { event: 'to-the-identity' });
    expect(await next(events)).toMatchObject({ message: { event: 'to-the-token' } });
    expect(await next(events)).toMatchObject({ message: { event: 'to-the-identity' } });

    await revokeToken(signalbox, token.id);
    expect(await next(events)).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_REVOKED' });
    expect(await events.ended).toMatchObject({ code: 4403 });
  },
);

test('a Twilio token lives one hour by default and one day at most', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, TWILIO);
  const endOf = async (ttl?: number) =>
    (await tokenOf(signalbox, mintTwilio({ identity: 'ada', ...(ttl !== undefined && { ttl }) }))).expiresAt;
  expect(await endOf()).toBe('2030-01-01T01:00:00.000Z');
  expect(await endOf(86_400)).toBe('2030-01-02T00:00:00.000Z');
  const tooLong = mintTwilio({ identity: 'ada', ttl: 86_401 });
  expect(await refusalCodeOf(signalbox, tooLong)).toBe('UNAUTHENTICATED');
  expect(await refusalMessageOf(signalbox, tooLong)).toContain(
    'lifetime is 86401 seconds; at most 86400 are allowed',
  );
});

test('refuses a token of another account, service or key, one without an identity, and one before its nbf', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, TWILIO);
  const account = `AC${'1'.repeat(32)}`;
  const service = `IS${'1'.repeat(32)}`;
  const { header, payload } = dissect(mintTwilio({ identity: 'ada' }));
  delete payload.grants.identity;
  const withoutIdentity = forge(header, payload, TWILIO.key.secret);
  const refused: [string, string][] = [
    [mintTwilio({ identity: 'ada' }, { account }), 'its “sub” must be the account SID of its issuer'],
    [mintTwilio({ identity: 'ada' }, { service }), 'its Sync grant must name the service SID of its issuer'],
    [
      mintTwilio({ identity: 'ada' }, { key: { ...TWILIO.key, secret: 'another' } }),
      'no key of its issuer signed it; check the id of the key, the secret and the algorithm',
    ],
    [
      mintTwilio({ identity: 'ada' }, { key: { ...TWILIO.key, id: `SK${'1'.repeat(32)}` } }),
      'no issuer of this project signed it',
    ],
    [withoutIdentity, 'its “grants.identity” must be a string that names a user'],
    [
      mintTwilio({ identity: 'ada', nbf: clock.now() / 1000 + 100 }),
      'it is not valid yet; its “nbf” may be at most 5 seconds ahead',
    ],
  ];
  for (const [credential, reason] of refused) {
    expect(await refusalCodeOf(signalbox, credential)).toBe('UNAUTHENTICATED');
    expect(await refusalMessageOf(signalbox, credential)).toBe(`The credential is refused: ${reason}.`);
    expect(await queueResults(signalbox.client({ token: credential }), EVENTS).ended).toMatchObject({
      code: 4401,
    });
  }
  expect(await refusalCodeOf(signalbox, mintTwilio({ identity: 'ada' }))).toBe('open');
});

test.each(`! * ' ( ) ; : @ & = + $ , / ? % # [ ]`.split(' '))(
  'names the character and its position when the identity has a %s, which Twilio reserves',
  async (character) => {
    await using signalbox = await startService({}, { clock });
    await createIssuer(signalbox, TWILIO);
    const credential = mintTwilio({ identity: `ada${character}` });
    expect(await refusalCodeOf(signalbox, credential)).toBe('UNAUTHENTICATED');
    expect(await refusalMessageOf(signalbox, credential)).toContain(
      `has ${JSON.stringify(character)} at position 3`,
    );
  },
);

test('accepts an e-mail address as identity only when the project has emailIdentities', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, TWILIO);
  const credential = mintTwilio({ identity: 'ada+1@example.com' });
  expect(await refusalCodeOf(signalbox, credential)).toBe('UNAUTHENTICATED');
  await signalbox.request(`mutation { updateProject(settings: { emailIdentities: true }) { id } }`);
  expect((await tokenOf(signalbox, credential)).identity).toBe('ada+1@example.com');
});

test('delivers TokenExpiring three minutes before expiry, and keeps the connection after reauthenticate', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, TWILIO);
  await createChannel(signalbox, 'document');
  const client = signalbox.client({ token: mintTwilio({ identity: 'ada', ttl: 600 }) });
  const events = queueResults(client, EVENTS);
  const { token, connection } = await next(events);
  await subscribeToken(signalbox, 'document', token.id);
  expect((await next(events)).__typename).toBe('ChannelAvailable');

  await clock.advance(420_000 - 1);
  await sendDirect(signalbox, token.id, 'sentinel');
  await clock.advance(1);
  expect(await next(events)).toMatchObject({ message: { event: 'sentinel' } });
  expect(await next(events)).toEqual({ __typename: 'TokenExpiring', expiresAt: '2030-01-01T00:10:00.000Z' });
  const renewed = queueResults(
    client,
    `mutation ($credential: String!) { reauthenticate(credential: $credential) { connection { id } token { expiresAt } } }`,
    { credential: mintTwilio({ identity: 'ada', ttl: 600 }) },
  );
  expect(await renewed.next()).toEqual({
    reauthenticate: { connection, token: { expiresAt: '2030-01-01T00:17:00.000Z' } },
  });
  await clock.advance(300_000);
  expect(await publish(signalbox, 'document', 'after-the-old-end')).toBe(1);
  expect((await events.until(({ events }) => 'message' in events)).events).toMatchObject({
    message: { event: 'after-the-old-end' },
  });
  await clock.advance(120_000);
  expect(await next(events)).toEqual({ __typename: 'TokenExpiring', expiresAt: '2030-01-01T00:17:00.000Z' });
  await clock.advance(180_000);
  expect(await next(events)).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_EXPIRED' });
  expect(await events.ended).toMatchObject({ code: 4403 });
});

test('a token without iat connects, and revokeTokens refuses it by the seconds of its jti', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, TWILIO);
  const mint = () => {
    const { header, payload } = dissect(mintTwilio({ identity: 'ada' }));
    return forge(header, { ...payload, iat: undefined }, TWILIO.key.secret);
  };
  const before = mint();
  expect(await tokenOf(signalbox, before)).toMatchObject({ identity: 'ada' });
  await clock.advance(60_000);
  await signalbox.request(`mutation { revokeTokens(identity: "ada") { connections } }`);
  expect(await refusalCodeOf(signalbox, before)).toBe('TOKEN_REVOKED');
  await clock.advance(60_000);
  expect(await refusalCodeOf(signalbox, mint())).toBe('open');
});

test('a token of the SDK for Java, whose jti is ahead, does not survive its revocation', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, TWILIO);
  // AccessToken.java: Math.floor(now.getTime() / 1000.0f)
  const javaSeconds = (ms: number) => Math.floor(Math.fround(Math.fround(ms) / 1000));
  const mint = () => {
    const { header, payload } = dissect(mintTwilio({ identity: 'ada' }));
    const jti = `${TWILIO.key.id}-${javaSeconds(clock.now())}`;
    return forge(header, { ...payload, iat: undefined, jti }, TWILIO.key.secret);
  };
  let wait = 1000;
  while (javaSeconds(clock.now() + wait) < (clock.now() + wait) / 1000 + 60) wait += 1000;
  await clock.advance(wait);
  const before = mint();
  expect(await refusalCodeOf(signalbox, before)).toBe('open');
  await clock.advance(10_000);
  await signalbox.request(`mutation { revokeTokens(identity: "ada") { connections } }`);
  expect(await refusalCodeOf(signalbox, before)).toBe('TOKEN_REVOKED');
  await clock.advance(300_000);
  expect(await refusalCodeOf(signalbox, before)).toBe('TOKEN_REVOKED');
  expect(await refusalCodeOf(signalbox, mint())).toBe('open');
});
