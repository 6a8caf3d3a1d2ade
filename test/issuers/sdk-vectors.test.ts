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
import { createChannel } from '../support/backend.ts';
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
    // GetStream/stream-chat-go: client.go (CreateToken), since version 4 with golang-jwt, before with pascaldekloe/jwt, which writes no typ
    ['Go', HEADER, (now) => ({ exp: now + 3600, iat: now, user_id: 'ada' })],
    ['Go, version 3', { alg: 'HS256' }, (now) => ({ exp: now + 3600, user_id: 'ada' })],
    // GetStream/stream-chat-java: src/main/java/io/getstream/chat/java/models/User.java (createToken)
    [
      'Java',
      { alg: 'HS256' },
      (now) => ({ user_id: 'ada', exp: now + 3600, iat: now - 5, iss: JAVA, sub: JAVA }),
    ],
    // GetStream/stream-chat-net: src/Clients/UserClient.cs (CreateToken), JwtGeneratorClient.cs
    ['.NET', { typ: 'JWT', alg: 'HS256' }, (now) => ({ user_id: 'ada', exp: now + 3600 })],
    // GetStream/stream-node: src/StreamClient.ts (generateUserToken), utils/create-token.ts
    [
      'Node (node-sdk)',
      HEADER,
      (now) => ({ user_id: 'ada', validity_in_seconds: 3600, iat: now - 1, exp: now + 3599 }),
    ],
    // GetStream/stream-py: getstream/stream.py (create_token)
    ['Python (getstream)', HEADER, (now) => ({ iat: now - 5, user_id: 'ada', exp: now + 3600 })],
    // GetStream/getstream-go: client.go (createToken) with Claims.CustomClaims and Claims.Role, which encoding/json sorts
    [
      'Go (getstream)',
      HEADER,
      (now) => ({ exp: now + 3600, iat: now, role: 'admin', team: 'blue', user_id: 'ada' }),
    ],
    // GetStream/getstream-php: src/Auth/JWTGenerator.php (generateUserToken). firebase/php-jwt writes typ first.
    [
      'PHP (getstream)',
      { typ: 'JWT', alg: 'HS256' },
      (now) => ({ user_id: 'ada', iat: now, exp: now + 3600 }),
    ],
    // GetStream/getstream-net: src/Client.cs (CreateUserToken)
    ['.NET (getstream)', HEADER, (now) => ({ user_id: 'ada', nbf: now - 5, exp: now + 3600, iat: now - 5 })],
    // GetStream/stream-sdk-java: services/framework/TokenBuilder.java (createToken)
    ['Java (getstream)', { alg: 'HS256' }, (now) => ({ user_id: 'ada', iat: now - 5, exp: now + 3600 })],
    // The token generator in Stream's documentation of its video SDKs: a URL as iss
    [
      'the token generator',
      HEADER,
      (now) => ({
        iss: 'https://pronto.getstream.io',
        sub: 'user/ada',
        user_id: 'ada',
        validity_in_seconds: 604_800,
        iat: now,
        exp: now + 604_800,
      }),
    ],
  ],
  STREAM.key.secret,
);

const CALL = 'default:standup';
const CALL_VECTORS = vectors(
  [
    // GetStream/stream-node: src/StreamClient.ts (generateCallToken)
    [
      'Node',
      HEADER,
      (now) => ({
        user_id: 'ada',
        role: 'admin',
        call_cids: [CALL],
        validity_in_seconds: 3600,
        iat: now - 1,
        exp: now + 3599,
      }),
    ],
    // GetStream/stream-py: getstream/stream.py (create_call_token)
    [
      'Python',
      HEADER,
      (now) => ({ iat: now - 5, call_cids: [CALL], role: 'call-member', user_id: 'ada', exp: now + 3600 }),
    ],
    // GetStream/getstream-go: client.go (createCallToken)
    ['Go', HEADER, (now) => ({ call_cids: [CALL], exp: now + 3600, iat: now, role: 'user', user_id: 'ada' })],
    // GetStream/stream-sdk-java: services/framework/TokenBuilder.java (createCallToken)
    [
      'Java',
      { alg: 'HS256' },
      (now) => ({ user_id: 'ada', role: 'host', call_cids: [CALL], iat: now, exp: now + 3600 }),
    ],
    // Stream's documentation of anonymous users in livestreams; the SDKs name the user !anon
    [
      'anonymous users',
      HEADER,
      (now) => ({
        iss: '@stream-io/dashboard',
        iat: now,
        exp: now + 86_400,
        user_id: '!anon',
        role: 'viewer',
        call_cids: [CALL],
      }),
    ],
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
    // opentok/OpenTok-PHP-SDK: src/OpenTok/OpenTok.php (generateToken): the expiry that was not set stays as expireTime
    [
      'PHP',
      { typ: 'JWT', alg: 'HS256' },
      (now) => ({
        iss: OPENTOK.key.id,
        iat: now,
        session_id: SESSION,
        role: 'moderator',
        ist: 'project',
        nonce: 1_804_289_383,
        scope: 'session.connect',
        expireTime: null,
        connection_data: 'Ada & Ben',
        initial_layout_class_list: '',
      }),
    ],
    // opentok/Opentok-Python-SDK: opentok/opentok.py (generate_token, use_jwt)
    [
      'Python',
      HEADER,
      (now) => ({
        session_id: SESSION,
        role: 'moderator',
        iat: now,
        exp: now + 86_400,
        scope: 'session.connect',
        connection_data: 'Ada & Ben',
        iss: OPENTOK.key.id,
        ist: 'project',
        nonce: 123_456,
      }),
    ],
    // opentok/OpenTok-Ruby-SDK: lib/opentok/token_generator.rb (GENERATE_JWT_LAMBDA)
    [
      'Ruby',
      { typ: 'JWT', alg: 'HS256' },
      (now) => ({
        iss: OPENTOK.key.id,
        ist: 'project',
        iat: now,
        nonce: 0.4725,
        role: 'moderator',
        scope: 'session.connect',
        session_id: SESSION,
        connection_data: 'Ada & Ben',
      }),
    ],
    // opentok/opentok-node: lib/opentok.js (generateToken), generateJwt.js: the fields of T1 and those of JWT
    [
      'Node',
      HEADER,
      (now) => ({
        iss: OPENTOK.key.id,
        ist: 'project',
        iat: now,
        exp: now + 86_400,
        session_id: SESSION,
        create_time: now,
        nonce: 0.8462,
        role: 'moderator',
        expire_time: now + 86_400,
        connection_data: 'Ada & Ben',
        initial_layout_class_list: '',
        scope: 'session.connect',
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
  // opentok/opentok-node: lib/opentok.js (generateToken with its third argument), npm opentok-token
  [
    'Node',
    (now) =>
      t1(
        `session_id=${SESSION}&create_time=${now}&expire_time=${now + 86_400}&nonce=0.8462&role=moderator&initial_layout_class_list=&scope=session.connect&connection_data=Ada%20%26%20Ben`,
      ),
  ],
  // opentok/Opentok-.NET-SDK: OpenTok/Session.cs (BuildDataString), Role.cs: older versions wrote the role in capitals
  [
    '.NET',
    (now) =>
      t1(
        `session_id=${SESSION}&create_time=${now}&nonce=42&role=MODERATOR&initial_layout_class_list=focus small&connection_data=Ada+%26+Ben`,
      ),
  ],
];

/** Signs with RS256, as an application of Vonage does. */
const signVonage = (claims: Claims, header: object = { typ: 'JWT', alg: 'RS256' }) => {
  const signed = forge(header, claims).slice(0, -1);
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
type VonageVector = [sdk: string, claims: (now: number) => Claims, header?: object];
const VONAGE_VECTORS: Vector[] = (
  [
    // Vonage/vonage-php-sdk-video: src/Client.php (generateClientToken): neither role nor data by default
    ['PHP', (now) => ({ ...vonageClaims(now), ...ACL })],
    // Vonage/vonage-java-sdk: src/main/java/com/vonage/client/video/VideoClient.java (generateToken), TokenOptions.java
    ['Java', (now) => ({ ...vonageClaims(now), role: 'publisher', connection_data: 'Ada' })],
    // Vonage/vonage-node-sdk: packages/video/lib/video.ts (generateClientToken), packages/jwt/lib/tokenGenerate.ts
    ['Node', (now) => ({ ...vonageClaims(now), role: 'publisher', initial_layout_class_list: '', ...ACL })],
    // Vonage/vonage-python-sdk: video/src/vonage_video/models/token.py: subject instead of sub, the classes as a list
    [
      'Python',
      (now) => ({
        ...vonageClaims(now),
        role: 'publisher',
        initial_layout_class_list: ['focus', 'small'],
        subject: 'video',
        acl: ACL.acl,
      }),
    ],
    // Vonage/vonage-dotnet-sdk: Vonage/Jwt.cs, Video/Authentication/TokenAdditionalClaims.cs: no exp
    [
      '.NET',
      (now) => ({ ...vonageClaims(now), exp: undefined, jti: 'k9+/x==', role: 'publisher' }),
      { alg: 'RS256' },
    ],
    // Vonage/vonage-ruby-sdk: lib/vonage/video.rb (generate_client_token); Vonage/vonage-jwt-ruby: lib/vonage-jwt/jwt.rb
    [
      'Ruby',
      (now) => ({
        ...vonageClaims(now),
        ...ACL,
        role: 'publisher',
        initial_layout_class_list: '',
        typ: 'JWT',
        data: 'Ada',
      }),
      { alg: 'RS256' },
    ],
    // opentok/opentok-node: lib/generateJwt.js, with the private key of an application
    [
      'Node (opentok)',
      (now) => ({ ...vonageClaims(now), iss: VONAGE.key.id, ist: 'project', role: 'publisher' }),
    ],
    // opentok/Opentok-Java-SDK: Session.java, util/TokenGenerator.java, with the private key of an application
    [
      'Java (opentok)',
      (now) => ({ ...vonageClaims(now), nonce: -12, role: 'publisher', connection_data: 'Ada' }),
    ],
    // opentok/Opentok-Python-SDK: opentok/opentok.py, with the private key of an application
    [
      'Python (opentok)',
      (now) => ({ ...vonageClaims(now), role: 'publisher', subject: 'video', acl: ACL.acl }),
    ],
  ] satisfies VonageVector[]
).map(([sdk, claims, header]: VonageVector) => [
  sdk,
  (now, changed = {}) => signVonage({ ...claims(now), ...changed }, header),
]);

const seconds = () => Math.floor(Date.now() / 1000);
const ALL = [
  ...STREAM_VECTORS.map(([sdk, mint]) => ({ sdk: `Stream for ${sdk}`, mint, is: { identity: 'ada' } })),
  ...CALL_VECTORS.map(([sdk, mint]) => ({
    sdk: `Stream Video for ${sdk}`,
    mint,
    is: { role: 'PUBLISHER', claimedGrants: [{ channels: CALL }] },
  })),
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

const JWTS = [...STREAM_VECTORS, ...CALL_VECTORS, ...TWILIO_VECTORS, ...OPENTOK_JWT, ...VONAGE_VECTORS];
const READ = `query ($id: ID!) { channel(id: $id) { messages(last: 1) { nodes { id } } } }`;
test('a call token opens the calls that it names and no other channel', async () => {
  const ids = [CALL, 'livestream:gala', 'lobby', 'default:other'];
  for (const id of ids) await createChannel(signalbox, id, { type: 'PUBLIC' });
  const mint = CALL_VECTORS[0]![1];
  const opened = async (changed: Claims) => {
    const results = await Promise.all(ids.map((id) => signalbox.ask(READ, { id }, mint(seconds(), changed))));
    return ids.filter((_, index) => results[index]!.errors === undefined);
  };
  expect(await opened({})).toEqual([CALL]);
  expect(await opened({ channel_cids: ['livestream:gala'] })).toEqual([CALL, 'livestream:gala']);
  expect(await opened({ call_cids: [] })).toEqual([]);
  expect(await opened({ call_cids: null })).toEqual(ids);
});

test.each([
  ['a pattern', { call_cids: ['default:*'] }, 'has "*" at position 8'],
  ['an id that is no text', { call_cids: [7] }, 'must be a list of ids'],
  ['a call that is in no list', { call_cids: CALL }, 'must be a list of ids'],
  ['more calls than a token may have grants', { call_cids: Array(200).fill(CALL) }, 'grants'],
  ['a role that is no text', { role: 7 }, 'must be a string'],
])('a call token with %s is refused', async (_, changed, sentence) => {
  expect(await refusalMessageOf(signalbox, CALL_VECTORS[0]![1](seconds(), changed))).toContain(sentence);
});

test('the SDK of Vonage for Ruby names the connection data data, which no SDK of OpenTok does', async () => {
  const ruby = VONAGE_VECTORS.find(([sdk]) => sdk === 'Ruby')![1];
  const dataOf = async (credential: string) => (await tokenOf(signalbox, credential)).connectionData;
  expect(await dataOf(ruby(seconds()))).toBe('Ada');
  expect(await dataOf(ruby(seconds(), { connection_data: 'Ben' }))).toBe('Ben');
  const opentok = OPENTOK_JWT[0]![1];
  expect(await dataOf(opentok(seconds(), { connection_data: undefined, data: 'Ada' }))).toBe(null);
});

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
    // GetStream/getstream-net: src/Client.cs (GenerateServerSideToken): neither a user nor server
    'a server token of Stream for .NET',
    () => forge(HEADER, { nbf: seconds() - 5, exp: seconds() + 3600, iat: seconds() - 5 }, STREAM.key.secret),
  ],
  [
    // GetStream/getstream-php: src/Auth/JWTGenerator.php (generateServerToken)
    'a server token of Stream for a user',
    () => forge(HEADER, { iat: seconds(), server: true, user_id: 'ada' }, STREAM.key.secret),
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
