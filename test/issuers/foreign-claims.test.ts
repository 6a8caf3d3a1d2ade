import { afterEach, beforeEach, expect, test } from 'vitest';
import { forge } from '../support/forge.ts';
import {
  createApiKey,
  createIssuer,
  OPENTOK,
  opentokSessionId,
  refusalCodeOf,
  refusalMessageOf,
  signingSecretOf,
  sign,
  STREAM,
  tokenOf,
  TWILIO,
  type SigningApiKey,
} from '../support/external-credentials.ts';
import { JWKS } from '../support/issuer-management.ts';
import { startService, type TestService } from '../support/service.ts';

/** Credentials with claims that the format of their kind does not name, as backends and SDKs really make them. */

let signalbox: TestService;
let apiKey: SigningApiKey;
beforeEach(async () => {
  signalbox = await startService();
  apiKey = await createApiKey(signalbox);
});
afterEach(() => signalbox[Symbol.asyncDispose]());

const seconds = () => Math.floor(Date.now() / 1000);
const HS256 = { alg: 'HS256', typ: 'JWT' };
const signStream = (claims: object, header: object = {}) =>
  forge({ ...HS256, ...header }, { user_id: 'ada', ...claims }, STREAM.key.secret);

test.each([
  // Source: stream-chat-java, src/main/java/io/getstream/chat/java/models/User.java.
  ['iss and sub of the SDK for Java', { iss: 'Stream Chat Java SDK', sub: 'Stream Chat Java SDK' }, {}],
  ['a URL as iss', { iss: 'https://api.example.com' }, {}],
  ['aud and jti of a framework', { iss: 'laravel', aud: 'app', jti: 'x' }, {}],
  ['a kid that names the key of Stream', {}, { kid: STREAM.key.id }],
  ['a kid that names nothing', {}, { kid: 'default' }],
  ['server: null', { server: null }, {}],
])('a Stream token with %s opens', async (_, claims, header) => {
  await createIssuer(signalbox, STREAM);
  await createIssuer(signalbox, TWILIO);
  expect(await tokenOf(signalbox, signStream(claims, header))).toMatchObject({ identity: 'ada' });
});

test.each([
  ['iss names an OpenID provider of the project', { iss: JWKS.provider.issuer }, {}],
  ['iss names a key of Twilio', { iss: TWILIO.key.id }, {}],
  ['kid names a key of Twilio', {}, { kid: TWILIO.key.id }],
  ['it is for a server', { iss: 'Stream Chat Java SDK', server: true }, {}],
])('a credential with user_id is not Stream’s when %s', async (_, claims, header) => {
  for (const input of [STREAM, TWILIO, JWKS]) await createIssuer(signalbox, input);
  expect(await refusalCodeOf(signalbox, signStream(claims, header))).toBe('UNAUTHENTICATED');
});

test('a credential with user_id and the kid or iss of an API key is verified with that key only', async () => {
  await createIssuer(signalbox, STREAM);
  for (const by of ['kid', 'iss'] as const) {
    const own = await sign(apiKey, { user_id: 'eve', sub: 'ada' }, { by });
    expect(await tokenOf(signalbox, own)).toMatchObject({ identity: 'ada', issuer: apiKey.id });
    const header = by === 'kid' ? { kid: apiKey.id } : {};
    const forged = signStream(by === 'iss' ? { iss: apiKey.id } : {}, header);
    expect(await refusalMessageOf(signalbox, forged)).toMatch('no key of its issuer signed it');
  }
});

test.each([
  ['a URL as iss', { iss: 'https://api.example.com' }],
  ['an http URL as iss', { iss: 'http://localhost' }],
  ['the iss of a provider of the project', { iss: JWKS.provider.issuer }],
  ['a claim server', { server: 'eu-1' }],
  ['the scope of OpenTok', { scope: 'session.connect', iss: OPENTOK.key.id }],
  ['ist: project', { ist: 'project' }],
  ['an iss that is a number', { iss: 7 }],
  ['a long iss', { iss: 'x'.repeat(300) }],
])('a JWT whose kid names an API key opens with %s', async (_, claims) => {
  await createIssuer(signalbox, JWKS);
  await createIssuer(signalbox, OPENTOK);
  await createIssuer(signalbox, STREAM);
  const credential = forge(
    { ...HS256, kid: apiKey.id },
    { sub: 'ada', ...claims },
    signingSecretOf(apiKey.secret),
  );
  expect(await tokenOf(signalbox, credential)).toMatchObject({ identity: 'ada', issuer: apiKey.id });
});

test.each([
  ['an API key', { exp: null, iat: null, nbf: null, role: null, data: null, channels: null, grants: null }],
  ['an API key, with a grant that does not lapse', { grants: [{ channels: 'a', actions: [], exp: null }] }],
])('claims that are null count as absent in a JWT signed with %s', async (_, claims) => {
  const credential = forge(
    { ...HS256, kid: apiKey.id },
    { sub: 'ada', ...claims },
    signingSecretOf(apiKey.secret),
  );
  expect(await tokenOf(signalbox, credential)).toMatchObject({
    identity: 'ada',
    role: 'PUBLISHER',
    expiresAt: null,
  });
});

test('claims that are null count as absent in the tokens of Stream, Twilio and OpenTok', async () => {
  for (const input of [STREAM, TWILIO, OPENTOK]) await createIssuer(signalbox, input);
  expect(await refusalCodeOf(signalbox, signStream({ exp: null, iat: null, name: null }))).toBe('open');
  const grants = { identity: 'ada', data_sync: { service_sid: TWILIO.service }, chat: null };
  const twilio = {
    iss: TWILIO.key.id,
    sub: TWILIO.account,
    exp: seconds() + 60,
    nbf: null,
    iat: null,
    grants,
  };
  const cty = 'twilio-fpa;v=1';
  expect(await refusalCodeOf(signalbox, forge({ ...HS256, cty }, twilio, TWILIO.key.secret))).toBe('open');
  const opentok = {
    iss: OPENTOK.key.id,
    scope: 'session.connect',
    session_id: opentokSessionId('one'),
    iat: seconds(),
    exp: seconds() + 60,
    role: null,
    connection_data: null,
    expire_time: null,
  };
  expect(await refusalCodeOf(signalbox, forge(HS256, opentok, OPENTOK.key.secret))).toBe('open');
});

test('a claim that is null grants no more than an absent one: identity, exp and session stay required', async () => {
  for (const input of [STREAM, TWILIO, OPENTOK]) await createIssuer(signalbox, input);
  const own = (claims: object) => forge({ ...HS256, kid: apiKey.id }, claims, signingSecretOf(apiKey.secret));
  expect(await refusalCodeOf(signalbox, own({ sub: null }))).toBe('UNAUTHENTICATED');
  expect(await refusalCodeOf(signalbox, own({ sub: 'ada', grants: [null] }))).toBe('UNAUTHENTICATED');
  const grants = { identity: 'ada', data_sync: { service_sid: TWILIO.service } };
  const twilio = { iss: TWILIO.key.id, sub: TWILIO.account, exp: null, grants };
  const cty = 'twilio-fpa;v=1';
  expect(await refusalMessageOf(signalbox, forge({ ...HS256, cty }, twilio, TWILIO.key.secret))).toMatch(
    '“exp”',
  );
});
