import { JWTServerToken, JWTUserToken } from 'stream-chat';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forge } from '../support/forge.ts';
import { OPENTOK, refusalMessageOf, TWILIO } from '../support/external-credentials.ts';
import {
  BACKEND,
  createIssuerFixture,
  PROVIDER,
  SECRET,
  SESSION,
  type HmacName,
  type IssuerFixture,
} from './issuer-fixture.ts';
import { tryAuthenticate, REFUSED, ACCEPTED } from './authenticate.ts';

let fixture: IssuerFixture;
beforeAll(async () => {
  fixture = await createIssuerFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const TOKENS = '{ tokens(first: 100) { nodes { id } } }';
const refusals = () => fixture.log.audited().filter(({ action }) => action === 'refused').length;

/** The claims and headers by which a credential is classified as this kind. */
const MARKS = {
  TWILIO: [{ iss: TWILIO.key.id }, { cty: 'twilio-fpa;v=1' }],
  OPENTOK: [{ iss: OPENTOK.key.id, scope: 'session.connect' }, {}],
  JWKS: [{ iss: PROVIDER }, {}],
  SIGNALBOX: [{}, { kid: BACKEND }],
} as const satisfies Record<string, [payload: object, header: object]>;

const ACCOUNT = 'its “sub” must be the account SID of its issuer';
const SESSION_ID = 'its “session_id” must be the id of an OpenTok session';
const UNKNOWN_ISSUER = 'no issuer of this project signed it';
const UNSIGNED = 'no key of its issuer signed it; check the id of the key, the secret and the algorithm';

const pairs: [HmacName, keyof typeof MARKS, string][] = [
  ['STREAM', 'TWILIO', ACCOUNT],
  ['SIGNALBOX', 'TWILIO', ACCOUNT],
  ['OPENTOK', 'TWILIO', ACCOUNT],
  ['STREAM', 'OPENTOK', SESSION_ID],
  ['TWILIO', 'OPENTOK', UNKNOWN_ISSUER],
  ['STREAM', 'JWKS', UNKNOWN_ISSUER],
  ['TWILIO', 'JWKS', UNKNOWN_ISSUER],
  ['OPENTOK', 'JWKS', UNKNOWN_ISSUER],
  ['STREAM', 'SIGNALBOX', 'its “sub” must be a string that names a user'],
  ['API_KEY', 'SIGNALBOX', UNSIGNED],
];

test.each(pairs)(
  'a credential signed as %s and marked as %s is verified as the latter only, although all kinds share one secret',
  async (name, claimedKind, reason) => {
    const [payload, header] = MARKS[claimedKind];
    const credential = fixture.sign(name, payload, header);
    const [tokens, before] = [await fixture.signalbox.request(TOKENS), refusals()];
    expect(await refusalMessageOf(fixture.signalbox, credential)).toBe(
      `The credential is refused: ${reason}.`,
    );
    expect(refusals()).toBe(before + 1);
    expect(await tryAuthenticate(fixture.signalbox, credential)).toEqual(REFUSED);
    expect(await fixture.signalbox.request(TOKENS)).toEqual(tokens);
    expect(fixture.provider.requestedPaths).toEqual([]);
  },
);

test.each(['OPENTOK', 'JWKS'] as const)(
  'a credential whose kid names a SIGNALBOX key is verified as SIGNALBOX only, also with the claims of %s',
  async (claimedKind) => {
    const [payload] = MARKS[claimedKind];
    expect(await tryAuthenticate(fixture.signalbox, fixture.sign('SIGNALBOX', payload))).toEqual(ACCEPTED);
    const forged = fixture.sign('SIGNALBOX', payload, {}, 'another secret');
    expect(await refusalMessageOf(fixture.signalbox, forged)).toBe(`The credential is refused: ${UNSIGNED}.`);
    expect(fixture.provider.requestedPaths).toEqual([]);
  },
);

test('a credential signed with the secret of one kind is refused as another kind', async () => {
  const own = fixture.signingKey.secret;
  for (const credential of [
    fixture.sign('STREAM', {}, {}, own),
    fixture.sign('TWILIO', {}, {}, own),
    fixture.sign('OPENTOK', {}, {}, own),
    fixture.sign('SIGNALBOX', {}, {}, own),
    fixture.sign('API_KEY', {}, {}, SECRET),
    fixture.sign('API_KEY', {}, {}, own.split('.')[1]),
  ]) {
    expect(await tryAuthenticate(fixture.signalbox, credential)).toEqual(REFUSED);
  }
});

test('server-side credentials of OpenTok and Stream are refused', async () => {
  const { signalbox, now } = fixture;
  const HS256 = { alg: 'HS256', typ: 'JWT' };
  const restClaims = { iss: OPENTOK.key.id, ist: 'project', iat: now(), exp: now() + 300 };
  const backends: [string, string][] = [
    [
      forge(HS256, restClaims, SECRET),
      'it is for a REST API, not for a connection; mint a token whose “scope” is session.connect',
    ],
    [
      forge(HS256, { ...restClaims, session_id: SESSION }, SECRET),
      'it is for a REST API, not for a connection; mint a token whose “scope” is session.connect',
    ],
    [JWTServerToken(SECRET), 'it is for a server, not for a connection; mint a user token without “server”'],
    [
      JWTUserToken(SECRET, 'ada', { server: true }),
      'it is for a server, not for a connection; mint a user token without “server”',
    ],
    [
      fixture.sign('STREAM', { server: false }),
      'it is for a server, not for a connection; mint a user token without “server”',
    ],
  ];
  for (const [credential, reason] of backends) {
    expect(await refusalMessageOf(signalbox, credential)).toBe(`The credential is refused: ${reason}.`);
    expect(await tryAuthenticate(signalbox, credential)).toEqual(REFUSED);
  }
  // A user token of the same package and secret is accepted.
  expect(await tryAuthenticate(signalbox, JWTUserToken(SECRET, 'ada'))).toEqual(ACCEPTED);
});

test('a T1 token with changed or repeated fields is refused', async () => {
  const { signalbox, now, signT1 } = fixture;
  const form = `session_id=${SESSION}&create_time=${now()}&nonce=1&role=subscriber`;
  const text = Buffer.from(signT1(form).slice('T1=='.length), 'base64').toString();
  const reencode = (change: (text: string) => string) =>
    `T1==${Buffer.from(change(text)).toString('base64')}`;
  expect(await tryAuthenticate(signalbox, signT1(form))).toEqual(ACCEPTED);
  for (const credential of [
    reencode((text) => text.replace('subscriber', 'moderator')),
    reencode((text) => `${text}&connection_data=x`),
    reencode((text) => text.replace(OPENTOK.key.id, BACKEND)),
    reencode((text) => text.replace(/sig=\w+/, 'sig=')),
    reencode((text) => text.replace(/sig=\w+/, `sig=${'0'.repeat(40)}`)),
    signT1(`${form}&role=moderator`),
    signT1(`${form}&r%6Fle=moderator`),
    signT1(form.replace('role=subscriber', 'permissions=x&role=moderator')),
    signT1(form, '&role=moderator'),
    signT1(form, `&partner_id=${BACKEND}`),
    signT1(form.replace(/create_time=\d+/, 'create_time=1e99')),
    signT1(form.replace(SESSION, 'room')),
  ]) {
    expect(await tryAuthenticate(signalbox, credential)).toEqual(REFUSED);
  }
});
