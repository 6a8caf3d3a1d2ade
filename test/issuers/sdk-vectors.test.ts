import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createIssuer,
  OPENTOK,
  opentokSessionId,
  refusalMessageOf,
  STREAM,
  tokenOf,
  TWILIO,
} from '../support/external-credentials.ts';
import { forge } from '../support/forge.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

/** Credentials with the headers and claims of the official SDKs. The comment of each names the file that lays it out. */

const vonage = generateKeyPairSync('rsa', { modulusLength: 2048 });
const VONAGE = {
  kind: 'OPENTOK',
  key: {
    id: '78d335fa-323d-0114-9c3d-d6f0d48968cf',
    publicKey: vonage.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  },
};

let signalbox: TestService;
beforeEach(async () => {
  signalbox = await startService();
  for (const issuer of [STREAM, TWILIO, OPENTOK, VONAGE]) await createIssuer(signalbox, issuer);
});
afterEach(() => signalbox[Symbol.asyncDispose]());

type Claims = Record<string, unknown>;
/** Makes the credential at a time in seconds since 1970, with changed claims. */
type Vector = [sdk: string, mint: (now: number, changed?: Claims) => string];

const HEADER = { alg: 'HS256', typ: 'JWT' };
const vectors = (rows: [string, object, (now: number) => Claims][], secret: string): Vector[] =>
  rows.map(([sdk, header, claims]) => [
    sdk,
    (now, changed = {}) => forge(header, { ...claims(now), ...changed }, secret),
  ]);

const JAVA = 'Stream Chat Java SDK';
const STREAM_VECTORS = vectors(
  [
    // GetStream/stream-chat-js: src/signing.ts
    ['Node', HEADER, () => ({ user_id: 'ada' })],
    // GetStream/stream-chat-php: lib/GetStream/StreamChat/Client.php (createToken), JwtHandler.php
    ['PHP', HEADER, (now) => ({ user_id: 'ada', exp: now + 3600, iat: now })],
    // GetStream/stream-chat-python: stream_chat/base/client.py (create_token, with further claims)
    ['Python', HEADER, (now) => ({ channel: 'team', user_id: 'ada', exp: now + 3600 })],
    // GetStream/stream-chat-ruby: lib/stream-chat/client.rb (create_token). The gem jwt 2 writes no typ.
    ['Ruby', { alg: 'HS256' }, (now) => ({ user_id: 'ada', exp: now + 3600, iat: now })],
    // GetStream/stream-chat-go: client.go (CreateToken) with pascaldekloe/jwt, which writes no typ
    ['Go', { alg: 'HS256' }, (now) => ({ exp: now + 3600, user_id: 'ada' })],
    // GetStream/stream-chat-java: src/main/java/io/getstream/chat/java/models/User.java (createToken)
    [
      'Java',
      { alg: 'HS256' },
      (now) => ({ user_id: 'ada', exp: now + 3600, iat: now - 5, iss: JAVA, sub: JAVA }),
    ],
    // GetStream/stream-chat-net: src/Clients/UserClient.cs (CreateToken), JwtGeneratorClient.cs
    ['.NET', { typ: 'JWT', alg: 'HS256' }, (now) => ({ user_id: 'ada', exp: now + 3600 })],
  ],
  STREAM.key.secret,
);

const CTY = 'twilio-fpa;v=1';
const twilioClaims = (now: number) => ({
  jti: `${TWILIO.key.id}-${now}`,
  iss: TWILIO.key.id,
  sub: TWILIO.account,
  exp: now + 3600,
  grants: { identity: 'ada', data_sync: { service_sid: TWILIO.service } },
});
const withNbf = (now: number) => ({ ...twilioClaims(now), nbf: now });
const TWILIO_VECTORS = vectors(
  [
    // twilio/twilio-node: src/jwt/AccessToken.ts
    ['Node', { cty: CTY, ...HEADER }, (now) => ({ ...twilioClaims(now), iat: now })],
    // twilio/twilio-php: src/Twilio/Jwt/AccessToken.php
    ['PHP', { cty: CTY, ...HEADER }, twilioClaims],
    // twilio/twilio-python: twilio/jwt/access_token/__init__.py, twilio/jwt/__init__.py; twr: the region
    ['Python', { ...HEADER, cty: CTY, twr: 'us1' }, withNbf],
    // twilio/twilio-ruby: lib/twilio-ruby/jwt/access_token.rb, jwt.rb
    ['Ruby', { cty: CTY, ...HEADER }, withNbf],
    // twilio/twilio-go: client/jwt/access_token.go
    ['Go', { cty: CTY, ...HEADER, twr: '' }, withNbf],
    // twilio/twilio-java: src/main/java/com/twilio/jwt/accesstoken/AccessToken.java, Jwt.java
    ['Java', { typ: 'JWT', cty: CTY, alg: 'HS256' }, twilioClaims],
    // twilio/twilio-csharp: src/Twilio/JWT/AccessToken/Token.cs, BaseJwt.cs
    ['.NET', { ...HEADER, cty: CTY }, twilioClaims],
  ],
  TWILIO.key.secret,
);

const SESSION = opentokSessionId('lesson');
const CONNECT = { session_id: SESSION, role: 'moderator', scope: 'session.connect' };
const OPENTOK_JWT = vectors(
  [
    // opentok/Opentok-Java-SDK: src/main/java/com/opentok/Session.java, util/TokenGenerator.java
    [
      'Java',
      { alg: 'HS256' },
      (now) => ({
        ...CONNECT,
        nonce: -12,
        connection_data: 'Ada & Ben',
        iss: OPENTOK.key.id,
        ist: 'project',
        jti: 'x',
        exp: now + 86_400,
        iat: now,
      }),
    ],
    // opentok/Opentok-.NET-SDK: OpenTok/Util/TokenGenerator.cs (GeneratePayload)
    [
      '.NET',
      HEADER,
      (now) => ({
        iss: OPENTOK.key.id,
        ist: 'project',
        ...CONNECT,
        iat: now,
        jti: 'k9+/x==',
        initial_layout_list: '',
        nonce: 7,
        connection_data: 'Ada & Ben',
        nbf: now,
        exp: now + 300,
      }),
    ],
  ],
  OPENTOK.key.secret,
);

const t1 = (data: string, encode = (text: string) => Buffer.from(text).toString('base64')) => {
  const signature = createHmac('sha1', OPENTOK.key.secret).update(data).digest('hex');
  return `T1==${encode(`partner_id=${OPENTOK.key.id}&sig=${signature}:${data}`)}`;
};
const urlAlphabet = (text: string) =>
  Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
const T1_VECTORS: Vector[] = [
  // opentok/OpenTok-PHP-SDK: src/OpenTok/OpenTok.php (generateToken)
  [
    'PHP',
    (now) =>
      t1(
        `session_id=${SESSION}&create_time=${now}&role=moderator&nonce=${now}.51231804289383&connection_data=Ada+%26+Ben&initial_layout_class_list=`,
      ),
  ],
  // opentok/Opentok-Python-SDK: opentok/opentok.py (generate_token)
  [
    'Python',
    (now) =>
      t1(
        `session_id=${SESSION}&create_time=${now}&expire_time=${now + 86_400}&role=moderator&nonce=123456&initial_layout_class_list=&connection_data=Ada+%26+Ben`,
      ),
  ],
  // opentok/OpenTok-Ruby-SDK: lib/opentok/token_generator.rb
  [
    'Ruby',
    (now) =>
      t1(`role=moderator&session_id=${SESSION}&create_time=${now}&nonce=0.4725&connection_data=Ada+%26+Ben`),
  ],
  // opentok/Opentok-Java-SDK: src/main/java/com/opentok/Session.java: base64 with - and _, layout classes not encoded
  [
    'Java',
    (now) =>
      t1(
        `create_time=${now}&expire_time=${now + 86_400}&session_id=${SESSION}&nonce=-1&role=moderator&scope=session.connect&initial_layout_class_list=~~~???&connection_data=Ada+%26+Ben`,
        urlAlphabet,
      ),
  ],
  // opentok/Opentok-.NET-SDK: OpenTok/Session.cs (BuildDataString), Role.cs: the role in capitals
  [
    '.NET',
    (now) =>
      t1(
        `session_id=${SESSION}&create_time=${now}&nonce=42&role=MODERATOR&initial_layout_class_list=focus small&connection_data=Ada+%26+Ben`,
      ),
  ],
];

/** Signs with RS256, as an application of Vonage does. */
const signVonage = (claims: Claims) => {
  const signed = forge({ typ: 'JWT', alg: 'RS256' }, claims).slice(0, -1);
  return `${signed}.${createSign('sha256').update(signed).sign(vonage.privateKey).toString('base64url')}`;
};
const VONAGE_SESSION = '2_MX43OGQzMzVmYS0zMjNkLTAxMTQtOWMzZC1kNmYwZDQ4OTY4Y2Z-fjE3-fg';
const vonageClaims = (now: number) => ({
  application_id: VONAGE.key.id,
  scope: 'session.connect',
  session_id: VONAGE_SESSION,
  iat: now,
  exp: now + 900,
  jti: '9e7c2b3a',
});
const ACL = { sub: 'video', acl: { paths: { '/session/**': {} } } };
const VONAGE_VECTORS: Vector[] = (
  [
    // Vonage/vonage-php-sdk-video: src/Client.php (generateClientToken): neither role nor data by default
    ['PHP', (now) => ({ ...vonageClaims(now), ...ACL })],
    // Vonage/vonage-java-sdk: src/main/java/com/vonage/client/video/VideoClient.java (generateToken), TokenOptions.java
    ['Java', (now) => ({ ...vonageClaims(now), role: 'publisher', connection_data: 'Ada' })],
    // opentok/opentok-node: lib/generateJwt.js, with the private key of an application
    [
      'Node (opentok)',
      (now) => ({ ...vonageClaims(now), iss: VONAGE.key.id, ist: 'project', role: 'publisher' }),
    ],
  ] satisfies [string, (now: number) => Claims][]
).map(([sdk, claims]) => [sdk, (now, changed = {}) => signVonage({ ...claims(now), ...changed })]);

const seconds = () => Math.floor(Date.now() / 1000);
const ALL = [
  ...STREAM_VECTORS.map(([sdk, mint]) => ({ sdk: `Stream for ${sdk}`, mint, is: { identity: 'ada' } })),
  ...TWILIO_VECTORS.map(([sdk, mint]) => ({ sdk: `Twilio for ${sdk}`, mint, is: { identity: 'ada' } })),
  ...OPENTOK_JWT.map(([sdk, mint]) => ({
    sdk: `OpenTok for ${sdk}, JWT`,
    mint,
    is: { role: 'MODERATOR', connectionData: 'Ada & Ben', claimedGrants: [{ channels: SESSION }] },
  })),
  ...T1_VECTORS.map(([sdk, mint]) => ({
    sdk: `OpenTok for ${sdk}, T1`,
    mint,
    is: { role: 'MODERATOR', connectionData: 'Ada & Ben', claimedGrants: [{ channels: SESSION }] },
  })),
  ...VONAGE_VECTORS.map(([sdk, mint]) => ({
    sdk: `Vonage for ${sdk}`,
    mint,
    is: { role: 'PUBLISHER', claimedGrants: [{ channels: VONAGE_SESSION }] },
  })),
];

test.each(ALL)('a token of the SDK of $sdk opens a connection', async ({ mint, is }) => {
  const credential = mint(seconds());
  expect(await tokenOf(signalbox, credential)).toMatchObject(is);
  using _ = await connectSocket(signalbox, { token: credential });
});

const JWTS = [...STREAM_VECTORS, ...TWILIO_VECTORS, ...OPENTOK_JWT, ...VONAGE_VECTORS];
test('an expired token, and one with another signature, is refused for every SDK', async () => {
  for (const [sdk, mint] of JWTS) {
    const expired = mint(seconds(), { exp: seconds() - 1 });
    expect(await refusalMessageOf(signalbox, expired), sdk).not.toBe('open');
    const credential = mint(seconds());
    const forged = `${credential.slice(0, credential.lastIndexOf('.'))}.${'A'.repeat(43)}`;
    expect(await refusalMessageOf(signalbox, forged), sdk).not.toBe('open');
  }
  for (const [sdk, mint] of T1_VECTORS)
    expect(await refusalMessageOf(signalbox, mint(seconds() - 86_401)), sdk).not.toBe('open');
});

test.each([
  // GetStream/stream-chat-php: JwtHandler.php (createServerSideToken) writes a string, the others true.
  ['a server token of Stream for PHP', () => forge(HEADER, { server: 'true' }, STREAM.key.secret)],
  [
    'a server token of Stream for Java',
    () =>
      forge(
        HEADER,
        { iss: JAVA, sub: JAVA, server: true, scope: 'admins', iat: seconds() },
        STREAM.key.secret,
      ),
  ],
  [
    'a REST token of OpenTok',
    () =>
      forge(
        HEADER,
        { iss: OPENTOK.key.id, ist: 'project', iat: seconds(), exp: seconds() + 300 },
        OPENTOK.key.secret,
      ),
  ],
  [
    'an API token of a Vonage application',
    () => signVonage({ ...vonageClaims(seconds()), scope: undefined, session_id: undefined }),
  ],
  [
    'a Vonage token of another application',
    () => VONAGE_VECTORS[0]![1](seconds(), { application_id: 'other' }),
  ],
  [
    'a Vonage token that is signed with the public key as a secret',
    () => forge(HEADER, vonageClaims(seconds()), VONAGE.key.publicKey),
  ],
  [
    'a T1 token with a role that OpenTok does not have',
    () => t1(`session_id=${SESSION}&create_time=${seconds()}&role=ADMIN`),
  ],
  [
    'a T1 token with both alphabets of base64',
    () =>
      t1(`session_id=${SESSION}&create_time=${seconds()}&nonce=~~~???~~~&role=publisher`, (text) =>
        Buffer.from(text).toString('base64').replace('+', '-'),
      ),
  ],
])('%s is refused', async (_, mint) => {
  expect(await refusalMessageOf(signalbox, mint())).toMatch('The credential is refused');
});
