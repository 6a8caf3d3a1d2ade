import { createSign } from 'node:crypto';
import { expect, test } from 'vitest';
import { refusalMessageOf, tokenOf } from '../support/external-credentials.ts';
import { forge } from '../support/forge.ts';
import {
  HEADER,
  sdkContract,
  seconds,
  startWithAllVendors,
  vonage,
  VONAGE,
  type Claims,
  type Vector,
} from '../support/sdk-vectors.ts';

const service = startWithAllVendors();

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

sdkContract(service, [
  {
    vendor: 'Vonage',
    vectors: VONAGE_VECTORS,
    is: { role: 'PUBLISHER', claimedGrants: [{ channels: VONAGE_SESSION }] },
  },
]);

test('the SDK of Vonage for Ruby names the connection data data', async () => {
  const ruby = VONAGE_VECTORS.find(([sdk]) => sdk === 'Ruby')![1];
  const dataOf = async (credential: string) => (await tokenOf(service(), credential)).connectionData;
  expect(await dataOf(ruby(seconds()))).toBe('Ada');
  expect(await dataOf(ruby(seconds(), { connection_data: 'Ben' }))).toBe('Ben');
});

test.each([
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
])('%s is refused', async (_, mint) => {
  expect(await refusalMessageOf(service(), mint())).toMatch('The credential is refused');
});
