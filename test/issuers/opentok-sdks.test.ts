import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { OPENTOK, opentokSessionId, refusalMessageOf, tokenOf } from '../support/external-credentials.ts';
import { forge } from '../support/forge.ts';
import {
  HEADER,
  sdkContract,
  seconds,
  startWithAllVendors,
  vectors,
  type Vector,
} from '../support/sdk-vectors.ts';

const service = startWithAllVendors();

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

const is = { role: 'MODERATOR', connectionData: 'Ada & Ben', claimedGrants: [{ channels: SESSION }] };
sdkContract(service, [
  { vendor: 'OpenTok', vectors: OPENTOK_JWT, is, form: 'JWT' },
  { vendor: 'OpenTok', vectors: T1_VECTORS, is, form: 'T1' },
]);

test('no SDK of OpenTok names the connection data data, as the one of Vonage for Ruby does', async () => {
  const opentok = OPENTOK_JWT[0]![1];
  const credential = opentok(seconds(), { connection_data: undefined, data: 'Ada' });
  expect((await tokenOf(service(), credential)).connectionData).toBe(null);
});

test.each([
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
  expect(await refusalMessageOf(service(), mint())).toMatch('The credential is refused');
});
