import { StreamChat } from 'stream-chat';
import { expect, test } from 'vitest';
import { type CredentialKind, classifyCredential } from '../../../src/tokens/issuers/classify-credential.ts';
import { forge } from '../../support/forge.ts';
import { refusalOf } from '../../support/issuers.ts';
import { MAX_CREDENTIAL_BYTES } from '../../../src/tokens/credential-errors.ts';

const HS256 = { alg: 'HS256', typ: 'JWT' };
const jwt = (header: object, payload: object) => forge({ ...HS256, ...header }, payload, 'whatever');
const t1 = (text: string) => `T1==${Buffer.from(text).toString('base64')}`;
const SIG = 'a'.repeat(40);

const known: [string, string, CredentialKind][] = [
  ['ours', jwt({ typ: 'signalbox+jwt', kid: 'sign_1' }, { iss: 'signalbox' }), { kind: 'MINTED' }],
  ['a backend’s, by kid', jwt({ kid: 'key_a' }, { sub: 'ann' }), { kind: 'SIGNALBOX', keyId: 'key_a' }],
  ['a backend’s, by iss', jwt({}, { iss: 'key_a', sub: 'ann' }), { kind: 'SIGNALBOX', keyId: 'key_a' }],
  [
    'a backend’s, by kid before iss',
    jwt({ kid: 'key_a' }, { iss: 'key_b' }),
    { kind: 'SIGNALBOX', keyId: 'key_a' },
  ],
  [
    'a backend’s with a user_id',
    jwt({ kid: 'key_a' }, { user_id: 'ann' }),
    { kind: 'SIGNALBOX', keyId: 'key_a' },
  ],
  ['Stream’s', jwt({}, { user_id: 'ann' }), { kind: 'STREAM' }],
  ['Twilio’s', jwt({ cty: 'twilio-fpa;v=1' }, { iss: 'SK1' }), { kind: 'TWILIO', keyId: 'SK1' }],
  ['OpenTok’s', jwt({}, { iss: '12', scope: 'session.connect' }), { kind: 'OPENTOK', keyId: '12' }],
  [
    'OpenTok’s with its ist',
    jwt({}, { iss: '12', scope: 'session.connect', ist: 'project' }),
    { kind: 'OPENTOK', keyId: '12' },
  ],
  ['OpenTok’s T1', t1(`partner_id=12&sig=${SIG}:role=x`), { kind: 'OPENTOK', keyId: '12' }],
  [
    'OpenTok’s T1 with the version of its SDK',
    t1(`partner_id=12&sdk_version=tbphp-v0.91&sig=${SIG}:role=x`),
    { kind: 'OPENTOK', keyId: '12' },
  ],
  [
    'a provider’s',
    jwt({ alg: 'RS256', kid: '1' }, { iss: 'https://id.example' }),
    { kind: 'JWKS', issuer: 'https://id.example' },
  ],
  [
    'a header full of keys and addresses',
    jwt({ kid: 'key_a', jku: 'https://evil.example', x5u: 'x', x5c: [], jwk: { kty: 'oct' } }, {}),
    { kind: 'SIGNALBOX', keyId: 'key_a' },
  ],
  [
    'the longest id of a key',
    jwt({ kid: 'k'.repeat(255) }, {}),
    { kind: 'SIGNALBOX', keyId: 'k'.repeat(255) },
  ],
];

test.each(known)('%s is known for what it is', (_, credential, facts) => {
  expect(classifyCredential(credential)).toEqual(facts);
});

const [HEAD, , TAIL] = jwt({}, {}).split('.');
const STREAM = jwt({}, { user_id: 'ann' });
const [, PAYLOAD] = STREAM.split('.');

const unknown: [string, string][] = [
  ['nothing', ''],
  ['a word', 'hello'],
  ['two parts', `${HEAD}.${PAYLOAD}`],
  ['four parts', `${STREAM}.`],
  ['five parts', `${STREAM}.a.b`],
  ['a thousand parts', '.'.repeat(1000)],
  ['no signature in the alphabet', `${HEAD}.${PAYLOAD}.!!!!`],
  ['a payload with its padding', `${HEAD}.${Buffer.from('{"user_id":"a"}  ').toString('base64')}=.${TAIL}`],
  ['a payload with a line end in it', `${HEAD}.${PAYLOAD}\n.${TAIL}`],
  ['a payload whose last bits are not zero', `${HEAD}.${PAYLOAD!.slice(0, -1)}R.${TAIL}`],
  ['a header that is a list', forge('[]', '{"user_id":"ann"}', 'x')],
  ['a payload that is null', forge(HS256, 'null', 'x')],
  ['a payload that is no JSON', forge(HS256, '{user_id}', 'x')],
  ['brackets without end', forge(HS256, '['.repeat(6000), 'x')],
  [
    'a payload that is not UTF-8',
    `${HEAD}.${Buffer.from('{"user_id":"\xe9"}', 'latin1').toString('base64url')}.${TAIL}`,
  ],
  ['a byte order mark', forge(HS256, '\ufeff{"user_id":"ann"}', 'x')],
  ...['none', 'None', 'NONE', 'nOnE', ' none ', 1, null, ['HS256'], undefined].map(
    (alg): [string, string] => [`alg ${JSON.stringify(alg)}`, jwt({ alg }, { user_id: 'ann' })],
  ),
  ['a critical extension', jwt({ crit: ['exp'] }, { user_id: 'ann' })],
  ['an unencoded payload', jwt({ crit: ['b64'], b64: false }, { user_id: 'ann' })],
  ['a critical extension that is null', jwt({ crit: null }, { user_id: 'ann' })],
  ['OpenTok’s token for the REST API', jwt({}, { iss: '12', ist: 'project', iat: 1, exp: 2 })],
  [
    'OpenTok’s token of a Vonage application',
    jwt({ alg: 'RS256' }, { scope: 'session.connect', application_id: 'a' }),
  ],
  ['Stream’s token for servers', jwt({}, { server: true })],
  ['Stream’s token for servers with a user', jwt({}, { server: false, user_id: 'ann' })],
  ['Twilio’s without a key', jwt({ cty: 'twilio-fpa;v=1' }, { user_id: 'ann' })],
  ['an iss that is a number', jwt({}, { user_id: 'ann', iss: 1 })],
  ['a user that is a number', jwt({}, { user_id: 1 })],
  ['nobody’s', jwt({}, {})],
  ['a kid that is a number', jwt({ kid: 1 }, { iss: 'key_a' })],
  ['a kid that is null', jwt({ kid: null }, { user_id: 'ann' })],
  ['an empty kid', jwt({ kid: '' }, { user_id: 'ann' })],
  ['a kid that is too long', jwt({ kid: 'k'.repeat(256) }, {})],
  ['T1 and nothing', 'T1=='],
  ['T1 with other base64', t1(`partner_id=12&sig=${SIG}:a=b`).replace(/=*$/, '') + '===='],
  ['T1 with a space in it', t1(`partner_id=12&sig=${SIG}:a=b`).replace('T1==', 'T1== ')],
  ['T1 without a colon', t1(`partner_id=12&sig=${SIG}`)],
  ['T1 without a signature', t1('partner_id=12:a=b')],
  ['T1 with a short signature', t1('partner_id=12&sig=abcd:a=b')],
  ['T1 without a key', t1(`sig=${SIG}:a=b`)],
  ['T1 with an empty key', t1(`partner_id=&sig=${SIG}:a=b`)],
  ['T1 with two keys', t1(`partner_id=12&partner_id=13&sig=${SIG}:a=b`)],
  ['T1 with two keys, one escaped', t1(`partner_id=12&partner%5Fid=13&sig=${SIG}:a=b`)],
  ['T1 with two signatures', t1(`partner_id=12&sig=${SIG}&sig=${SIG}:a=b`)],
  ['T1 with more in its head', t1(`partner_id=12&role=moderator&sig=${SIG}:a=b`)],
  ['T1 with a broken escape', t1(`partner_id=%E0%A4%A&sig=${SIG}:a=b`)],
  ['T1 in lower case', t1(`partner_id=12&sig=${SIG}:a=b`).replace('T1', 't1')],
  ['OpenTok’s oldest test token', 'devtoken'],
];

test.each(unknown)('%s is of no kind', async (_, credential) => {
  expect(await refusalOf(() => classifyCredential(credential))).toMatch(
    /^UNAUTHENTICATED: The credential is refused: /,
  );
});

test('a credential has at most 8 KB, counted in bytes', async () => {
  const head = `partner_id=12&sig=${SIG}:a=`;
  const longest = t1(head.padEnd(((MAX_CREDENTIAL_BYTES - 4) / 4) * 3, 'x'));
  expect(longest).toHaveLength(8192);
  expect(classifyCredential(longest).kind).toBe('OPENTOK');
  const tooLong =
    'UNAUTHENTICATED: The credential is refused: it is longer than 8192 bytes; send fewer or shorter claims.';
  for (const credential of [`${longest}A`, 'é'.repeat(4097), `T1==${'A'.repeat(1e6)}`, '.'.repeat(1e6)]) {
    expect(await refusalOf(() => classifyCredential(credential))).toBe(tooLong);
  }
});

const client = new StreamChat('key', 'secret');

test.each(['jo', 'joh', 'john', 'jo-hn@example_1', 'ÿ?>~~~'.slice(1)])(
  'Stream’s development token for %s',
  (id) => {
    expect(classifyCredential(client.devToken(id))).toEqual({ kind: 'DEVELOPMENT', identity: id });
  },
);

test('a development token may be spelled in either alphabet, with or without its padding', async () => {
  const spell = (middle: string) => `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${middle}.devtoken`;
  const standard = Buffer.from('{"user_id":"?>?>~~~"}').toString('base64');
  expect(standard).toMatch(/[+/]/);
  for (const padding of ['', '=', '==']) {
    const bytes = Buffer.from(`{"user_id":"~~~${'~'.repeat(padding.length)}"}`);
    for (const text of [
      bytes.toString('base64'),
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('base64url'),
    ]) {
      expect(classifyCredential(spell(text)).kind).toBe('DEVELOPMENT');
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
  const wrong = [
    ...payloads.map((text) => Buffer.from(text).toString('base64')),
    `${standard}=`,
    `=${standard}`,
    ' ',
    '',
  ];
  for (const middle of wrong) {
    expect(await refusalOf(() => classifyCredential(spell(middle)))).toMatch(/^UNAUTHENTICATED/);
  }
  const other = [
    spell(standard).replace('.devtoken', '.devtoken2'),
    `${spell(standard)}.`,
    `${spell(standard)}.devtoken`,
    spell(standard).replace('eyJhbGci', 'eyJhbGcj'),
  ];
  for (const credential of other) {
    expect(await refusalOf(() => classifyCredential(credential))).not.toMatch('accepted');
  }
});
