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
  'an access token that Twilio’s own package signs with %s connects, hears and speaks',
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

test('it lives an hour unless it says otherwise, and at most a day', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, TWILIO);
  const endOf = async (ttl?: number) =>
    (await tokenOf(signalbox, mintTwilio({ identity: 'ada', ...(ttl !== undefined && { ttl }) }))).expiresAt;
  expect(await endOf()).toBe('2030-01-01T01:00:00.000Z');
  expect(await endOf(86_400)).toBe('2030-01-02T00:00:00.000Z');
  const tooLong = mintTwilio({ identity: 'ada', ttl: 86_401 });
  expect(await refusalCodeOf(signalbox, tooLong)).toBe('UNAUTHENTICATED');
  expect(await refusalMessageOf(signalbox, tooLong)).toContain(
    'lives 86401 seconds; at most 86400 are allowed',
  );
});

test('one that is not of the account, the service or a key of its issuer opens nothing, nor one without an identity', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, TWILIO);
  const account = `AC${'1'.repeat(32)}`;
  const service = `IS${'1'.repeat(32)}`;
  const { header, payload } = dissect(mintTwilio({ identity: 'ada' }));
  delete payload.grants.identity;
  const nobody = forge(header, payload, TWILIO.key.secret);
  const refused: [string, string][] = [
    [mintTwilio({ identity: 'ada' }, { account }), 'its “sub” is not the account of its issuer'],
    [mintTwilio({ identity: 'ada' }, { service }), 'its grant is not for the service of its issuer'],
    [
      mintTwilio({ identity: 'ada' }, { key: { ...TWILIO.key, secret: 'another' } }),
      'no key of its issuer signed it',
    ],
    [
      mintTwilio({ identity: 'ada' }, { key: { ...TWILIO.key, id: `SK${'1'.repeat(32)}` } }),
      'nobody whom this project knows has signed it',
    ],
    [nobody, 'its “grants.identity” must be a string that names a user'],
    [mintTwilio({ identity: 'ada', nbf: clock.now() / 1000 + 100 }), 'it is not valid yet'],
  ];
  for (const [credential, why] of refused) {
    expect(await refusalCodeOf(signalbox, credential)).toBe('UNAUTHENTICATED');
    expect(await refusalMessageOf(signalbox, credential)).toBe(`The credential is refused: ${why}.`);
    expect(await queueResults(signalbox.client({ token: credential }), EVENTS).ended).toMatchObject({
      code: 4401,
    });
  }
  expect(await refusalCodeOf(signalbox, mintTwilio({ identity: 'ada' }))).toBe('open');
});

test.each(`! * ' ( ) ; : @ & = + $ , / ? % # [ ]`.split(' '))(
  'an identity with a %s, which Twilio reserves, is refused by name and place',
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

test('where the project’s identities may be e-mail addresses, Twilio’s may be', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, TWILIO);
  const credential = mintTwilio({ identity: 'ada+1@example.com' });
  expect(await refusalCodeOf(signalbox, credential)).toBe('UNAUTHENTICATED');
  await signalbox.request(`mutation { updateProject(settings: { emailIdentities: true }) { id } }`);
  expect((await tokenOf(signalbox, credential)).identity).toBe('ada+1@example.com');
});

test('its client is told three minutes before the end, updates the token in place, and goes on past it', async () => {
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
