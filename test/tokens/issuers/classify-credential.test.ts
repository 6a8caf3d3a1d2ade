import { StreamChat } from 'stream-chat';
import { expect, test } from 'vitest';
import { type CredentialKind, classifyCredential } from '../../../src/tokens/issuers/classify-credential.ts';
import { forge } from '../../support/forge.ts';
import { refusalOf } from '../../support/issuers.ts';

const HS256 = { alg: 'HS256', typ: 'JWT' };
const jwt = (header: object, payload: object) => forge({ ...HS256, ...header }, payload, 'any secret');
const t1 = (text: string) => `T1==${Buffer.from(text).toString('base64')}`;
const SIG = 'a'.repeat(40);

const known: [string, string, ...CredentialKind[]][] = [
  [
    'a credential that this service minted',
    jwt({ typ: 'signalbox+jwt', kid: 'sign_1' }, { iss: 'signalbox' }),
    {
      kind: 'MINTED',
      jwt: { header: { alg: 'HS256', typ: 'signalbox+jwt', kid: 'sign_1' }, payload: { iss: 'signalbox' } },
    },
  ],
  [
    'a backend’s JWT whose kid names the key',
    jwt({ kid: 'key_a' }, { sub: 'ann' }),
    { kind: 'SIGNALBOX', keyId: 'key_a' },
  ],
  [
    'a backend’s JWT whose iss names the key',
    jwt({}, { iss: 'key_a', sub: 'ann' }),
    { kind: 'SIGNALBOX', keyId: 'key_a' },
  ],
  [
    'a backend’s JWT with kid and iss, by kid',
    jwt({ kid: 'key_a' }, { iss: 'key_b' }),
    { kind: 'SIGNALBOX', keyId: 'key_a' },
    { kind: 'SIGNALBOX', keyId: 'key_b' },
  ],
  [
    'a backend’s JWT with a kid and a user_id',
    jwt({ kid: 'key_a' }, { user_id: 'ann' }),
    { kind: 'SIGNALBOX', keyId: 'key_a' },
    { kind: 'STREAM', names: ['key_a'] },
  ],
  ['a Stream user token', jwt({}, { user_id: 'ann' }), { kind: 'STREAM', names: [] }],
  [
    'a Stream user token with iss',
    jwt({}, { user_id: 'ann', iss: 'Stream Chat Java SDK' }),
    { kind: 'SIGNALBOX', keyId: 'Stream Chat Java SDK' },
    { kind: 'STREAM', names: ['Stream Chat Java SDK'] },
  ],
  [
    'a Stream user token with a kid that is null',
    jwt({ kid: null }, { user_id: 'ann' }),
    { kind: 'STREAM', names: [] },
  ],
  [
    'a backend’s HMAC JWT with a URL as iss',
    jwt({ kid: 'key_a' }, { iss: 'https://api.example' }),
    { kind: 'SIGNALBOX', keyId: 'key_a' },
    { kind: 'SIGNALBOX', keyId: 'https://api.example' },
  ],
  [
    'a backend’s JWT with the claims of vendors',
    jwt({ kid: 'key_a' }, { scope: 'session.connect', iss: '12', server: true }),
    { kind: 'SIGNALBOX', keyId: 'key_a' },
    { kind: 'OPENTOK', keyId: '12' },
  ],
  [
    'an OpenTok REST API token',
    jwt({}, { iss: '12', ist: 'project', iat: 1, exp: 2 }),
    { kind: 'SIGNALBOX', keyId: '12' },
    { kind: 'UNUSABLE', reason: expect.stringContaining('session.connect') as string },
  ],
  [
    'a Stream server token',
    jwt({}, { server: true }),
    { kind: 'UNUSABLE', reason: expect.stringContaining('for a server') as string },
  ],
  [
    'a Stream server token with a user_id',
    jwt({}, { server: false, user_id: 'ann' }),
    { kind: 'UNUSABLE', reason: expect.stringContaining('for a server') as string },
  ],
  ['a Twilio access token', jwt({ cty: 'twilio-fpa;v=1' }, { iss: 'SK1' }), { kind: 'TWILIO', keyId: 'SK1' }],
  ['an OpenTok JWT', jwt({}, { iss: '12', scope: 'session.connect' }), { kind: 'OPENTOK', keyId: '12' }],
  [
    'an OpenTok JWT with ist and scope',
    jwt({}, { iss: '12', scope: 'session.connect', ist: 'project' }),
    { kind: 'OPENTOK', keyId: '12' },
  ],
  ['an OpenTok T1 token', t1(`partner_id=12&sig=${SIG}:role=x`), { kind: 'OPENTOK', keyId: '12' }],
  [
    'an OpenTok T1 token with sdk_version',
    t1(`partner_id=12&sdk_version=tbphp-v0.91&sig=${SIG}:role=x`),
    { kind: 'OPENTOK', keyId: '12' },
  ],
  [
    'an OpenID provider’s JWT',
    jwt({ alg: 'RS256', kid: '1' }, { iss: 'https://id.example' }),
    { kind: 'SIGNALBOX', keyId: '1' },
    { kind: 'JWKS', issuer: 'https://id.example', payload: { iss: 'https://id.example' } },
  ],
  [
    'a JWT with jku, x5u, x5c and jwk in its header',
    jwt({ kid: 'key_a', jku: 'https://evil.example', x5u: 'x', x5c: [], jwk: { kty: 'oct' } }, {}),
    { kind: 'SIGNALBOX', keyId: 'key_a' },
  ],
  [
    'a JWT whose kid has 255 characters',
    jwt({ kid: 'k'.repeat(255) }, {}),
    { kind: 'SIGNALBOX', keyId: 'k'.repeat(255) },
  ],
];

test.each(known)('classifies %s', (_, credential, ...kinds) => {
  expect(classifyCredential(credential)).toEqual(kinds);
});

const [HEAD, , TAIL] = jwt({}, {}).split('.');
const STREAM = jwt({}, { user_id: 'ann' });
const [, PAYLOAD] = STREAM.split('.');

const unknown: [string, string][] = [
  ['an empty string', ''],
  ['a string without dots', 'hello'],
  ['two parts', `${HEAD}.${PAYLOAD}`],
  ['four parts', `${STREAM}.`],
  ['five parts', `${STREAM}.a.b`],
  ['a thousand parts', '.'.repeat(1000)],
  ['a signature that is not base64url', `${HEAD}.${PAYLOAD}.!!!!`],
  [
    'a payload with base64 padding',
    `${HEAD}.${Buffer.from('{"user_id":"a"}  ').toString('base64')}=.${TAIL}`,
  ],
  ['a payload with a line break', `${HEAD}.${PAYLOAD}\n.${TAIL}`],
  ['a payload whose surplus bits are not zero', `${HEAD}.${PAYLOAD!.slice(0, -1)}R.${TAIL}`],
  ['a header that is a list', forge('[]', '{"user_id":"ann"}', 'x')],
  ['a payload that is null', forge(HS256, 'null', 'x')],
  ['a payload that is not JSON', forge(HS256, '{user_id}', 'x')],
  ['6,000 unclosed brackets', forge(HS256, '['.repeat(6000), 'x')],
  [
    'a payload that is not UTF-8',
    `${HEAD}.${Buffer.from('{"user_id":"\xe9"}', 'latin1').toString('base64url')}.${TAIL}`,
  ],
  ['a payload with a byte order mark', forge(HS256, '\ufeff{"user_id":"ann"}', 'x')],
  ...['none', 'None', 'NONE', 'nOnE', ' none ', 1, null, ['HS256'], undefined].map(
    (alg): [string, string] => [`alg ${JSON.stringify(alg)}`, jwt({ alg }, { user_id: 'ann' })],
  ),
  ['a critical extension', jwt({ crit: ['exp'] }, { user_id: 'ann' })],
  ['an unencoded payload', jwt({ crit: ['b64'], b64: false }, { user_id: 'ann' })],
  ['a critical extension that is null', jwt({ crit: null }, { user_id: 'ann' })],
  ['an iss that is a number', jwt({}, { user_id: 'ann', iss: 1 })],
  ['a user_id that is a number', jwt({}, { user_id: 1 })],
  ['an empty payload', jwt({}, {})],
  ['an empty kid', jwt({ kid: '' }, { user_id: 'ann' })],
  ['a kid that is a number with a user_id', jwt({ kid: 1 }, { user_id: 'ann' })],
  ['a kid of 256 characters', jwt({ kid: 'k'.repeat(256) }, {})],
  ['a T1 prefix without a body', 'T1=='],
  ['a T1 token with surplus base64 padding', t1(`partner_id=12&sig=${SIG}:a=b`).replace(/=*$/, '') + '===='],
  ['a T1 token with a space', t1(`partner_id=12&sig=${SIG}:a=b`).replace('T1==', 'T1== ')],
  ['a T1 token without a colon', t1(`partner_id=12&sig=${SIG}`)],
  ['a T1 token without sig', t1('partner_id=12:a=b')],
  ['a T1 token with a short sig', t1('partner_id=12&sig=abcd:a=b')],
  ['a T1 token without partner_id', t1(`sig=${SIG}:a=b`)],
  ['a T1 token with an empty partner_id', t1(`partner_id=&sig=${SIG}:a=b`)],
  ['a T1 token with two partner_ids', t1(`partner_id=12&partner_id=13&sig=${SIG}:a=b`)],
  [
    'a T1 token with two partner_ids, one percent-encoded',
    t1(`partner_id=12&partner%5Fid=13&sig=${SIG}:a=b`),
  ],
  ['a T1 token with two sigs', t1(`partner_id=12&sig=${SIG}&sig=${SIG}:a=b`)],
  ['a T1 token with a role before the colon', t1(`partner_id=12&role=moderator&sig=${SIG}:a=b`)],
  ['a T1 token with a broken percent-encoding', t1(`partner_id=%E0%A4%A&sig=${SIG}:a=b`)],
  ['a T1 token with its prefix in lower case', t1(`partner_id=12&sig=${SIG}:a=b`).replace('T1', 't1')],
  ['the bare word devtoken', 'devtoken'],
];

test.each(unknown)('refuses %s', async (_, credential) => {
  expect(await refusalOf(() => classifyCredential(credential))).toMatch(
    /^UNAUTHENTICATED: The credential is refused: /,
  );
});

test('refuses a credential of more than maxBytes bytes of UTF-8', async () => {
  const head = `partner_id=12&sig=${SIG}:a=`;
  const longest = t1(head.padEnd(((8192 - 4) / 4) * 3, 'x'));
  expect(longest).toHaveLength(8192);
  expect(classifyCredential(longest, 8192)[0]?.kind).toBe('OPENTOK');
  const tooLong =
    'UNAUTHENTICATED: The credential is refused: it is longer than 8192 bytes; send fewer or shorter claims.';
  for (const credential of [`${longest}A`, 'é'.repeat(4097), `T1==${'A'.repeat(1e6)}`, '.'.repeat(1e6)]) {
    expect(await refusalOf(() => classifyCredential(credential, 8192))).toBe(tooLong);
  }
});

const client = new StreamChat('key', 'secret');

test.each(['jo', 'joh', 'john', 'jo-hn@example_1', 'ÿ?>~~~'.slice(1)])(
  'classifies the Stream development token of %s',
  (id) => {
    expect(classifyCredential(client.devToken(id))).toEqual([{ kind: 'DEVELOPMENT', identity: id }]);
  },
);

test('accepts development tokens in base64 and base64url, with and without padding, and refuses other spellings', async () => {
  const developmentToken = (payload: string) => `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${payload}.devtoken`;
  const standard = Buffer.from('{"user_id":"?>?>~~~"}').toString('base64');
  expect(standard).toMatch(/[+/]/);
  for (const padding of ['', '=', '==']) {
    const bytes = Buffer.from(`{"user_id":"~~~${'~'.repeat(padding.length)}"}`);
    for (const text of [
      bytes.toString('base64'),
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('base64url'),
    ]) {
      expect(classifyCredential(developmentToken(text))[0]?.kind).toBe('DEVELOPMENT');
    }
  }
  const payloads = [
    '{}',
    '{"user_id":""}',
    '{"user_id":1}',
    '{"user_id":"ann","server":true}',
    '{"id":"ann"}',
    '{"__proto__":{"user_id":"ann"}}',
    '[]',
    'null',
    '"user_id"',
  ];
  const malformed = [
    ...payloads.map((text) => Buffer.from(text).toString('base64')),
    `${standard}=`,
    `=${standard}`,
    ' ',
    '',
  ];
  for (const payload of malformed) {
    expect(await refusalOf(() => classifyCredential(developmentToken(payload)))).toMatch(/^UNAUTHENTICATED/);
  }
  const other = [
    developmentToken(standard).replace('.devtoken', '.devtoken2'),
    `${developmentToken(standard)}.`,
    `${developmentToken(standard)}.devtoken`,
    developmentToken(standard).replace('eyJhbGci', 'eyJhbGcj'),
  ];
  for (const credential of other) {
    expect(await refusalOf(() => classifyCredential(credential))).not.toMatch('accepted');
  }
});
