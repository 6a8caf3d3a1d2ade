import { JWTServerToken, JWTUserToken } from 'stream-chat';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forge } from '../support/forge.ts';
import { OPENTOK, refusalMessageOf, TWILIO } from '../support/external-credentials.ts';
import { BACKEND, openKinds, PROVIDER, SECRET, SESSION, type HmacName, type Kinds } from './kinds.ts';
import { present, REFUSED, TAKEN } from './present.ts';

let kinds: Kinds;
beforeAll(async () => {
  kinds = await openKinds();
});
afterAll(() => kinds[Symbol.asyncDispose]());

const TOKENS = '{ tokens(first: 100) { nodes { id } } }';
const refusals = () => kinds.log.audited().filter(({ action }) => action === 'refused').length;

/** What stands in a credential so that it is taken for one of this kind. */
const MARKS = {
  TWILIO: [{ iss: TWILIO.key.id }, { cty: 'twilio-fpa;v=1' }],
  OPENTOK: [{ iss: OPENTOK.key.id, scope: 'session.connect' }, {}],
  JWKS: [{ iss: PROVIDER }, {}],
  SIGNALBOX: [{}, { kid: BACKEND }],
} as const satisfies Record<string, [payload: object, header: object]>;

const ACCOUNT = 'its “sub” must be the account SID of its issuer';
const SESSION_ID = 'its “session_id” must be the id of an OpenTok session';
const NOBODY = 'no issuer of this project signed it';
const UNSIGNED = 'no key of its issuer signed it; check the id of the key, the secret and the algorithm';

const pairs: [HmacName, keyof typeof MARKS, string][] = [
  ['STREAM', 'TWILIO', ACCOUNT],
  ['SIGNALBOX', 'TWILIO', ACCOUNT],
  ['OPENTOK', 'TWILIO', ACCOUNT],
  ['STREAM', 'OPENTOK', SESSION_ID],
  ['SIGNALBOX', 'OPENTOK', SESSION_ID],
  ['TWILIO', 'OPENTOK', NOBODY],
  ['STREAM', 'JWKS', UNSIGNED],
  ['SIGNALBOX', 'JWKS', UNSIGNED],
  ['TWILIO', 'JWKS', NOBODY],
  ['OPENTOK', 'JWKS', NOBODY],
  ['STREAM', 'SIGNALBOX', 'its “sub” must be a string that names a user'],
  ['an API key’s', 'SIGNALBOX', UNSIGNED],
];

test.each(pairs)(
  'what is signed as %s and marked as %s is judged as the latter alone, though one secret signs for all',
  async (name, mark, why) => {
    const [payload, header] = MARKS[mark];
    const credential = kinds.sign(name, payload, header);
    const [tokens, before] = [await kinds.signalbox.request(TOKENS), refusals()];
    expect(await refusalMessageOf(kinds.signalbox, credential)).toBe(`The credential is refused: ${why}.`);
    expect(refusals()).toBe(before + 1);
    expect(await present(kinds.signalbox, credential)).toEqual(REFUSED);
    expect(await kinds.signalbox.request(TOKENS)).toEqual(tokens);
    expect(kinds.provider.requestedPaths).toEqual([]);
  },
);

test('what is signed with the secret of one kind does not pass for that of another', async () => {
  const own = kinds.signingKey.secret;
  for (const credential of [
    kinds.sign('STREAM', {}, {}, own),
    kinds.sign('TWILIO', {}, {}, own),
    kinds.sign('OPENTOK', {}, {}, own),
    kinds.sign('SIGNALBOX', {}, {}, own),
    kinds.sign('an API key’s', {}, {}, SECRET),
    kinds.sign('an API key’s', {}, {}, own.split('.')[1]),
  ]) {
    expect(await present(kinds.signalbox, credential)).toEqual(REFUSED);
  }
});

test('what OpenTok’s and Stream’s backends hold for themselves opens no connection', async () => {
  const { signalbox, now } = kinds;
  const HS256 = { alg: 'HS256', typ: 'JWT' };
  const rest = { iss: OPENTOK.key.id, ist: 'project', iat: now(), exp: now() + 300 };
  const backends: [string, string][] = [
    [
      forge(HS256, rest, SECRET),
      'it is for a REST API, not for a connection; mint a token whose “scope” is session.connect',
    ],
    [
      forge(HS256, { ...rest, session_id: SESSION }, SECRET),
      'it is for a REST API, not for a connection; mint a token whose “scope” is session.connect',
    ],
    [JWTServerToken(SECRET), 'it is for a server, not for a connection; mint a user token without “server”'],
    [
      JWTUserToken(SECRET, 'ada', { server: true }),
      'it is for a server, not for a connection; mint a user token without “server”',
    ],
    [
      kinds.sign('STREAM', { server: false }),
      'it is for a server, not for a connection; mint a user token without “server”',
    ],
  ];
  for (const [credential, why] of backends) {
    expect(await refusalMessageOf(signalbox, credential)).toBe(`The credential is refused: ${why}.`);
    expect(await present(signalbox, credential)).toEqual(REFUSED);
  }
  // The same packages, the same secret: what is for connections.
  expect(await present(signalbox, JWTUserToken(SECRET, 'ada'))).toEqual(TAKEN);
});

test('a T1 token is what was signed, and says nothing twice', async () => {
  const { signalbox, now, signT1 } = kinds;
  const form = `session_id=${SESSION}&create_time=${now()}&nonce=1&role=subscriber`;
  const text = Buffer.from(signT1(form).slice('T1=='.length), 'base64').toString();
  const respell = (change: (text: string) => string) => `T1==${Buffer.from(change(text)).toString('base64')}`;
  expect(await present(signalbox, signT1(form))).toEqual(TAKEN);
  for (const credential of [
    respell((text) => text.replace('subscriber', 'moderator')),
    respell((text) => `${text}&connection_data=x`),
    respell((text) => text.replace(OPENTOK.key.id, BACKEND)),
    respell((text) => text.replace(/sig=\w+/, 'sig=')),
    respell((text) => text.replace(/sig=\w+/, `sig=${'0'.repeat(40)}`)),
    signT1(`${form}&role=moderator`),
    signT1(`${form}&r%6Fle=moderator`),
    signT1(form.replace('role=subscriber', 'permissions=x&role=moderator')),
    signT1(form, '&role=moderator'),
    signT1(form, `&partner_id=${BACKEND}`),
    signT1(form.replace(/create_time=\d+/, 'create_time=1e99')),
    signT1(form.replace(SESSION, 'room')),
  ]) {
    expect(await present(signalbox, credential)).toEqual(REFUSED);
  }
});
