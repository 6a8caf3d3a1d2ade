import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import { startService as start } from '../../src/service.ts';
import {
  createChannel,
  isOnline,
  publish,
  revokeToken,
  subscribeToken,
  sendDirect,
} from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { forge } from '../support/forge.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import { publishTo, publishOnSocket } from '../support/publish.ts';
import {
  createApiKey,
  refusalCodeOf,
  EVENTS,
  refusalMessageOf,
  sign,
  signingKeyOf,
  signingSecretOf,
  tokenOf,
} from '../support/external-credentials.ts';
import { API_KEY, createServiceClient, silentLogger, startService } from '../support/service.ts';

const FIRST = signingKeyOf(API_KEY);
const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
const next = async (events: ResultQueue<any>) => (await events.next()).events;

test('a JWT signed with the API key of the environment subscribes, publishes, receives direct messages and is revoked', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const credential = await sign(FIRST, { sub: 'ada' });
  const client = signalbox.client({ token: credential });
  const events = queueResults(client, EVENTS);
  const { token } = await next(events);
  expect(await tokenOf(signalbox, credential)).toEqual({
    id: token.id,
    identity: 'ada',
    origin: 'SELF_MINTED',
    issuer: FIRST.id,
    role: 'PUBLISHER',
    customRole: null,
    connectionData: null,
    expiresAt: null,
    grants: null,
    claimedGrants: null,
  });
  expect(await isOnline(signalbox, token.id)).toBe(true);
  await subscribeToken(signalbox, 'room', token.id);
  await publish(signalbox, 'room', 'hello');
  await publishOnSocket(client, { channel: 'room' }, null, { event: 'hello-back' });
  await sendDirect(signalbox, token.id, 'to-the-token');
  await publishTo(signalbox, { identity: 'ada' }, null, { event: 'to-the-identity' });
  const received = [
    await next(events),
    await next(events),
    await next(events),
    await next(events),
    await next(events),
  ];
  expect(received.map(({ __typename, message }) => message?.event ?? __typename)).toEqual([
    'ChannelAvailable',
    'hello',
    'hello-back',
    'to-the-token',
    'to-the-identity',
  ]);
  await revokeToken(signalbox, token.id);
  expect(await next(events)).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_REVOKED' });
  expect(await events.ended).toMatchObject({ code: 4403 });
  expect(await refusalCodeOf(signalbox, credential)).toBe('TOKEN_REVOKED');
});

test('the API key that is created at the first start signs credentials', async () => {
  const config = defaultConfig({ port: 0, data: ':memory:', mode: 'test' });
  await using service = await start(config, {}, { logger: silentLogger });
  await using client = createServiceClient(service.url);
  const credential = await sign(signingKeyOf(service.firstApiKey!), { sub: 'ada' });
  expect((await tokenOf(client, credential)).identity).toBe('ada');
});

test.each(
  ['HS256', 'HS384', 'HS512'].flatMap((alg) => [
    { alg, by: 'kid' as const },
    { alg, by: 'iss' as const },
  ]),
)('an API key with canSign signs with $alg when $by names it', async ({ alg, by }) => {
  await using signalbox = await startService();
  const key = await createApiKey(signalbox);
  const credential = await sign(key, { sub: 'ada' }, { alg, by });
  const events = queueResults(signalbox.client({ token: credential }), EVENTS);
  expect((await next(events)).token).toMatchObject({ identity: 'ada' });
  expect((await tokenOf(signalbox, credential)).issuer).toBe(key.id);
});

test('refuses a JWT signed with an API key without canSign', async () => {
  await using signalbox = await startService();
  const canSign = async (bearer: string) =>
    (await signalbox.request(`{ viewer { apiKey { canSign } } }`, {}, bearer)).viewer.apiKey.canSign;
  const [plain, signing] = [await createApiKey(signalbox, {}), await createApiKey(signalbox)];
  expect([await canSign(plain.secret), await canSign(signing.secret), await canSign(API_KEY)]).toEqual([
    false,
    true,
    true,
  ]);
  const credential = await sign(plain, { sub: 'ada' });
  expect(await refusalCodeOf(signalbox, credential)).toBe('UNAUTHENTICATED');
  expect(await queueResults(signalbox.client({ token: credential }), EVENTS).ended).toMatchObject({
    code: 4401,
  });
});

test.each([
  ['the API key itself', ({ secret }: typeof FIRST) => Buffer.from(secret)],
  ['the part after the dot', ({ secret }: typeof FIRST) => signingSecretOf(secret.split('.')[1]!)],
  ['the secret of another key', () => signingSecretOf(API_KEY)],
  ['the stored hash', ({ secret }: typeof FIRST) => Buffer.from(hash(secret))],
])('refuses a JWT signed with %s instead of the derived secret', async (_, forged) => {
  await using signalbox = await startService();
  const key = await createApiKey(signalbox);
  const credential = forge({ alg: 'HS256', kid: key.id }, { sub: 'ada' }, forged(key));
  expect(await refusalCodeOf(signalbox, credential)).toBe('UNAUTHENTICATED');
  expect(await refusalCodeOf(signalbox, await sign(key, { sub: 'ada' }))).toBe('open');
});

test('the secret that signs credentials does not open the API', async () => {
  await using signalbox = await startService();
  const { id, secret } = await createApiKey(signalbox);
  for (const encoding of ['base64url', 'hex', 'latin1'] as const) {
    const bearer = Buffer.from(`${id}.${signingSecretOf(secret).toString(encoding)}`).toString('base64url');
    expect(await refusalCodeOf(signalbox, bearer)).toBe('UNAUTHENTICATED');
    expect(await refusalCodeOf(signalbox, `${id}.${signingSecretOf(secret).toString('hex')}`)).toBe(
      'UNAUTHENTICATED',
    );
  }
});

test('applies the claims role, grants, data, channels and exp', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  for (const id of ['game:1', 'lobby']) await createChannel(signalbox, id);
  const credential = await sign(FIRST, {
    sub: 'ada',
    role: 'MODERATOR',
    grants: [{ channels: 'game:*', actions: ['SUBSCRIBE', 'PUBLISH'] }],
    data: 'Ada',
    channels: ['game:1', 'lobby', 'nowhere'],
    iat: clock.now() / 1000,
    exp: clock.now() / 1000 + 60,
  });
  expect(await tokenOf(signalbox, credential)).toMatchObject({
    role: 'MODERATOR',
    grants: null,
    claimedGrants: [{ channels: 'game:*', actions: ['SUBSCRIBE', 'PUBLISH'] }],
    connectionData: 'Ada',
    expiresAt: '2030-01-01T00:01:00.000Z',
  });
  const client = signalbox.client({ token: credential });
  const events = queueResults(client, EVENTS);
  expect((await next(events)).channels).toEqual([{ id: 'game:1' }]);
  await publishOnSocket(client, { channel: 'game:1' }, null, { event: 'hi' });
  await events.until(({ events }) => events.message?.sender.connectionData === 'Ada');
  const allowed = async (channel: string) =>
    (
      await signalbox.request(
        `query ($c: ID!) { viewer { allowedActions(channel: $c) } }`,
        { c: channel },
        credential,
      )
    ).viewer.allowedActions;
  expect((await allowed('game:1')).toSorted()).toEqual(['PUBLISH', 'SUBSCRIBE']);
  expect(await allowed('lobby')).toEqual([]);

  await clock.advance(60_000);
  await events.until(({ events }) => events.reason === 'TOKEN_EXPIRED');
  expect(await events.ended).toMatchObject({ code: 4403 });
  expect(await refusalCodeOf(signalbox, credential)).toBe('TOKEN_EXPIRED');
});

test('accepts the name of a custom role, and refuses a role that the project does not have', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'hall', { type: 'PUBLIC' });
  const credential = await sign(FIRST, { sub: 'ada', role: 'announcer' });
  expect(await refusalMessageOf(signalbox, credential)).toContain('its “role” is not a role of this project');
  await signalbox.request(`mutation { updateProject(settings: { permissions: {
    roles: [{ name: "announcer", like: SUBSCRIBER }]
    stated: [{ role: "announcer", kind: "PUBLIC", actions: [PUBLISH] }]
  } }) { id } }`);
  expect(await tokenOf(signalbox, credential)).toMatchObject({ role: 'SUBSCRIBER', customRole: 'announcer' });
  const { viewer } = await signalbox.request(
    `{ viewer { allowedActions(channel: "hall") } }`,
    {},
    credential,
  );
  expect(viewer.allowedActions).toEqual(['PUBLISH']);
});

test('refuses a credential whose nbf or iat is more than five seconds in the future', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const seconds = clock.now() / 1000;
  for (const claim of ['nbf', 'iat']) {
    const [ahead, early] = await Promise.all(
      [5, 6].map((more) => sign(FIRST, { sub: 'ada', [claim]: seconds + more })),
    );
    expect(await refusalCodeOf(signalbox, ahead!)).toBe('open');
    expect(await refusalCodeOf(signalbox, early!)).toBe('UNAUTHENTICATED');
  }
  const later = await sign(FIRST, { sub: 'ada', nbf: seconds + 60 });
  expect(await queueResults(signalbox.client({ token: later }), EVENTS).ended).toMatchObject({ code: 4401 });
  await clock.advance(60_000);
  expect(await refusalCodeOf(signalbox, later)).toBe('open');
});
