import { expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { refusalMessageOf, STREAM } from '../support/external-credentials.ts';
import { forge } from '../support/forge.ts';
import {
  HEADER,
  sdkContract,
  seconds,
  startWithAllVendors,
  vectors,
  type Claims,
} from '../support/sdk-vectors.ts';

const service = startWithAllVendors();

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

sdkContract(service, [
  { vendor: 'Stream', vectors: STREAM_VECTORS, is: { identity: 'ada' } },
  {
    vendor: 'Stream Video',
    vectors: CALL_VECTORS,
    is: { role: 'PUBLISHER', claimedGrants: [{ channels: CALL }] },
  },
]);

const READ = `query ($id: ID!) { channel(id: $id) { messages(last: 1) { nodes { id } } } }`;
test('a call token opens the calls that it names and no other channel', async () => {
  const ids = [CALL, 'livestream:gala', 'lobby', 'default:other'];
  for (const id of ids) await createChannel(service(), id, { type: 'PUBLIC' });
  const mint = CALL_VECTORS[0]![1];
  const opened = async (changed: Claims) => {
    const results = await Promise.all(ids.map((id) => service().ask(READ, { id }, mint(seconds(), changed))));
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
  expect(await refusalMessageOf(service(), CALL_VECTORS[0]![1](seconds(), changed))).toContain(sentence);
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
])('%s is refused', async (_, mint) => {
  expect(await refusalMessageOf(service(), mint())).toMatch('The credential is refused');
});
