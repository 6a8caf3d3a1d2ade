import { createHmac } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { blockWith } from './support/code-blocks.ts';
import { refusalMessageOf, tokenOf } from './support/external-credentials.ts';
import { startProvider, trustCertificate, type ProviderServer } from './support/provider.ts';
import { startService, type TestService } from './support/service.ts';
import { connectSocket, openSocket } from './support/socket.ts';

/** The pages of docs/providers: each token that a page shows opens a connection after the call that the page shows. */

type Claims = Record<string, unknown>;

interface Page {
  name: string;
  alg: 'RS256' | 'ES256' | 'ES384';
  /** The claim that names the audience. */
  audience: string;
  identity: string;
  /** False when the tokens of the provider state no role. */
  hasRole?: false;
  /** Claims of tokens that look similar and have to be refused, with the reason. */
  neighbours: readonly [string, Claims, string][];
}

const AUDIENCE = 'must contain an audience of its issuer';
const UNKNOWN = 'no issuer of this project signed it';
const PAGES: readonly Page[] = [
  {
    name: 'auth0',
    alg: 'RS256',
    audience: 'aud',
    identity: 'auth0|5f7c8ec7c33c6c004bbafe82',
    neighbours: [
      ['an ID token', { aud: 'my_client_id' }, AUDIENCE],
      ['an issuer without the slash', { iss: 'https://example.eu.auth0.com' }, UNKNOWN],
    ],
  },
  {
    name: 'keycloak',
    alg: 'RS256',
    audience: 'azp',
    identity: 'f:6b6dbe2c-7d0e-4c7e-9f2f-5a4a1c1f0b11:ada',
    neighbours: [
      ['the client in aud only', { azp: undefined, aud: 'web' }, AUDIENCE],
      ['another realm', { iss: 'https://login.example.com/realms/other' }, UNKNOWN],
      ['no sub, as without the scope basic', { sub: undefined }, 'its “sub” must be a string'],
    ],
  },
  {
    name: 'entra-id',
    alg: 'RS256',
    audience: 'aud',
    identity: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
    neighbours: [
      ['Microsoft Graph as its audience', { aud: '00000003-0000-0000-c000-000000000000' }, AUDIENCE],
      ['version 1', { iss: 'https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/' }, UNKNOWN],
      ['no oid', { oid: undefined }, 'its “oid” must be a string'],
    ],
  },
  {
    name: 'cognito',
    alg: 'RS256',
    audience: 'client_id',
    identity: '248289dc-1c23-4d0a-8ae2-5a1d93f2f44a',
    neighbours: [
      [
        'the claims of an ID token',
        { client_id: undefined, aud: 'web1example2client3id4', token_use: 'id' },
        AUDIENCE,
      ],
    ],
  },
  {
    name: 'clerk',
    alg: 'RS256',
    audience: 'azp',
    identity: 'user_2GbfzGexample',
    neighbours: [
      ['a slash after its origin', { azp: 'https://app.example.com/' }, AUDIENCE],
      ['the role of an organization', { role: 'org:admin' }, 'its “role”'],
    ],
  },
  {
    name: 'firebase',
    alg: 'RS256',
    audience: 'aud',
    identity: 'ZxG4hQ8fExampleUid2',
    neighbours: [
      [
        'the claims of another project',
        { iss: 'https://securetoken.google.com/other', aud: 'other' },
        UNKNOWN,
      ],
      ['the issuer of session cookies', { iss: 'https://session.firebase.google.com/my-project' }, UNKNOWN],
    ],
  },
  {
    name: 'supabase',
    alg: 'ES256',
    audience: 'aud',
    identity: 'd0714948-69a3-4b2a-9d1f-0a1b2c3d4e5f',
    neighbours: [['the audience of the key anon', { aud: 'anon', role: 'anon' }, AUDIENCE]],
  },
  {
    name: 'adfs',
    alg: 'RS256',
    audience: 'aud',
    identity: '3Mc5mLzB3kX0rVv8rKgSgX0pXlq3mM4r8gV+0/5dZ0c=',
    neighbours: [
      ['the issuer of ID tokens', { iss: 'https://adfs.example.com/adfs' }, UNKNOWN],
      ['the issuer with https', { iss: 'https://adfs.example.com/adfs/services/trust' }, UNKNOWN],
      ['a single group that is no role', { role: 'Domain Users' }, 'its “role”'],
    ],
  },
  {
    name: 'privy',
    alg: 'ES256',
    audience: 'aud',
    identity: 'did:privy:cm3np4u9j001rc8b73seqmqqk',
    hasRole: false,
    neighbours: [
      ['another app', { aud: 'cm9z8y7x6w5v4u3t2s1r0q9p8' }, AUDIENCE],
      ['a URL as its issuer', { iss: 'https://privy.io' }, UNKNOWN],
    ],
  },
  {
    name: 'stytch',
    alg: 'RS256',
    audience: 'aud',
    identity: 'user-live-fde03dd1-fff7-4b3c-9b31-ead3fbc224de',
    neighbours: [['another project', { iss: 'stytch.com/project-live-0' }, UNKNOWN]],
  },
  {
    name: 'dynamic',
    alg: 'RS256',
    audience: 'scope',
    identity: '95b11417-f18f-457f-8804-68e361f9164f',
    hasRole: false,
    neighbours: [
      ['a second factor that is missing', { scope: 'requiresAdditionalAuth' }, AUDIENCE],
      ['a scope that only begins with it', { scope: 'user:basics user:basic:read' }, AUDIENCE],
      ['another environment', { iss: 'app.dynamic.xyz/0' }, UNKNOWN],
    ],
  },
  {
    name: 'descope',
    alg: 'RS256',
    audience: 'drn',
    identity: 'U2P6O3tsPmf4iWhUuMcUPkzyzoBS',
    neighbours: [['the name of a refresh token', { drn: 'DSR' }, AUDIENCE]],
  },
  {
    name: 'workos',
    alg: 'RS256',
    audience: 'iss',
    identity: 'user_01HBEQKA6K4QJAS93VPE39W1JT',
    neighbours: [
      ['another client', { iss: 'https://api.workos.com/user_management/client_0' }, UNKNOWN],
      ['the issuer of all clients', { iss: 'https://api.workos.com' }, UNKNOWN],
    ],
  },
  {
    name: 'kinde',
    alg: 'RS256',
    audience: 'azp',
    identity: 'kp_0c5a8f1d2e3b4c6f9a7d',
    neighbours: [
      ['another application', { azp: '0' }, AUDIENCE],
      ['no sub, as of a machine', { sub: undefined }, 'its “sub” must be a string'],
    ],
  },
  {
    name: 'zitadel',
    alg: 'RS256',
    audience: 'aud',
    identity: '209358098523844523',
    neighbours: [
      ['another application', { aud: ['0@chat', '209357898523844523'] }, AUDIENCE],
      [
        'roles that are an object of something else',
        { 'urn:zitadel:iam:org:project:roles': { moderator: true } },
        'its “urn:zitadel:iam:org:project:roles” must be',
      ],
    ],
  },
  {
    name: 'authentik',
    alg: 'RS256',
    audience: 'aud',
    identity: '5a1f0c2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8',
    neighbours: [
      ['another application', { iss: 'https://login.example.com/application/o/mail/' }, UNKNOWN],
      ['an issuer without the slash', { iss: 'https://login.example.com/application/o/chat' }, UNKNOWN],
    ],
  },
  {
    name: 'okta',
    alg: 'RS256',
    audience: 'aud',
    identity: '00u5t60iloOHN9pBi0h7',
    neighbours: [
      ['the org authorization server', { iss: 'https://example.okta.com' }, UNKNOWN],
      ['the audience of an ID token', { aud: '0oa1ex2am3ple4id5' }, AUDIENCE],
      ['no uid, as of a service', { uid: undefined }, 'its “uid” must be a string'],
    ],
  },
  {
    name: 'ory',
    alg: 'RS256',
    audience: 'client_id',
    identity: '8f0f4a1e-2c6d-4b3e-a9d8-1b2c3d4e5f60',
    neighbours: [['another client', { client_id: '0' }, AUDIENCE]],
  },
  {
    name: 'fusionauth',
    alg: 'RS256',
    audience: 'aud',
    identity: '00000000-0000-4000-8000-000000000001',
    neighbours: [['another application', { aud: '0' }, AUDIENCE]],
  },
  {
    name: 'logto',
    alg: 'ES384',
    audience: 'aud',
    identity: '5pv1kq0zr3yx',
    neighbours: [['the audience of an ID token', { aud: '8r1zk4w7m2q9x5t3' }, AUDIENCE]],
  },
];

const INDEX = 'docs/providers/README.md';
const pairs = {
  RS256: await generateKeyPair('RS256', { extractable: true }),
  ES256: await generateKeyPair('ES256', { extractable: true }),
  ES384: await generateKeyPair('ES384', { extractable: true }),
};
let trust: Disposable;
let provider: ProviderServer;
let signalbox: TestService;

beforeAll(() => void (trust = trustCertificate()));
afterAll(() => trust[Symbol.dispose]());
beforeEach(async () => {
  provider = await startProvider();
  const keys = Object.entries(pairs).map(async ([alg, { publicKey }]) => ({
    ...(await exportJWK(publicKey)),
    kid: alg,
    use: 'sig',
    alg,
  }));
  provider.publish(await Promise.all(keys));
  signalbox = await startService();
  await signalbox.request(blockWith(INDEX, 'updateProject'));
});
afterEach(async () => {
  await signalbox[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

const pathOf = ({ name }: Page) => `docs/providers/${name}.md`;

/** Runs the call of the page, with the key set of the local provider in place of the documented one. */
async function acceptTokens(page: Page): Promise<void> {
  const call = blockWith(pathOf(page), 'createIssuer');
  const local = call.replace(/url: "https:[^"]*"/, `url: ${JSON.stringify(provider.url)}`);
  expect(local).toContain(provider.url);
  await signalbox.request(local);
}

/** The claims that the page shows, issued now. */
function claimsOf(page: Page): Claims & { iat: number; exp: number; nbf?: number } {
  const claims = JSON.parse(blockWith(pathOf(page), '"iss":')) as Claims & {
    iat: number;
    exp: number;
    nbf?: number;
  };
  const age = Math.floor(Date.now() / 1000) - claims.iat;
  return {
    ...claims,
    iat: claims.iat + age,
    exp: claims.exp + age,
    ...(claims.nbf !== undefined && { nbf: claims.nbf + age }),
  };
}

const sign = ({ alg }: Page, claims: Claims, keys = pairs) =>
  new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT', kid: alg }).sign(keys[alg].privateKey);

test.each(PAGES)(
  'the token of the page $name opens a connection with its identity and role',
  async (page) => {
    await acceptTokens(page);
    const credential = await sign(page, claimsOf(page));
    expect(await tokenOf(signalbox, credential)).toMatchObject({
      identity: page.identity,
      role: page.hasRole === false ? 'PUBLISHER' : 'MODERATOR',
      customRole: page.hasRole === false ? null : 'moderator',
    });
    using socket = await connectSocket(signalbox, { token: credential });
    socket.send({ type: 'subscribe', id: '1', payload: { query: '{ viewer { token { identity } } }' } });
    expect(await socket.next()).toMatchObject({
      type: 'next',
      payload: { data: { viewer: { token: { identity: page.identity } } } },
    });
  },
);

test.each(
  PAGES.flatMap((page) => page.neighbours.map(([what, claims, why]) => ({ page, what, claims, why }))),
)('the call of the page $page.name accepts no token with $what', async ({ page, claims, why }) => {
  await acceptTokens(page);
  const credential = await sign(page, { ...claimsOf(page), ...claims });
  expect(await refusalMessageOf(signalbox, credential)).toContain(why);
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { token: credential } });
  expect(await socket.closed).toMatchObject({ code: 4401 });
});

test.each(PAGES)('the call of the page $name accepts no token for another audience or key', async (page) => {
  await acceptTokens(page);
  const claims = claimsOf(page);
  const forger = { ...pairs, [page.alg]: await generateKeyPair(page.alg) };
  const publicKey = JSON.stringify(await exportJWK(pairs[page.alg].publicKey));
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', kid: page.alg })}.${part(claims)}`;
  const unsigned = `${part({ alg: 'none' })}.${part(claims)}.`;
  const refused = [
    await sign(page, { ...claims, [page.audience]: 'another' }),
    await sign(page, { ...claims, [page.audience]: undefined }),
    await sign(page, { ...claims, [page.audience]: null }),
    await sign(page, { ...claims, exp: undefined }),
    await sign(page, { ...claims, exp: claims.iat - 1 }),
    await sign(page, claims, forger),
    `${signed}.${createHmac('sha256', publicKey).update(signed).digest('base64url')}`,
    unsigned,
  ];
  for (const credential of refused) expect(await refusalMessageOf(signalbox, credential)).not.toBe('open');
  expect(await refusalMessageOf(signalbox, await sign(page, claims))).toBe('open');
});

test.each([
  ['keycloak', { typ: 'ID', aud: 'web' }],
  ['keycloak', { azp: 'mobile', sub: '3f1c9a52-7a0f-4a0e-9e6e-0d3c1f2b4a55' }],
  ['clerk', { azp: 'https://www.example.com', role: null, o: undefined }],
  ['cognito', { client_id: 'mobile1example2client3', 'cognito:groups': undefined }],
  ['auth0', { sub: 'my_client_id@clients', 'https://chat.example.com/roles': undefined }],
  ['entra-id', { roles: ['moderator'], scp: undefined }],
  ['firebase', { firebase: { identities: {}, sign_in_provider: 'anonymous' }, roles: undefined }],
  ['supabase', { is_anonymous: true, app_metadata: {} }],
  ['adfs', { role: 'moderator' }],
  ['dynamic', { scope: 'user:basic wallet:sign' }],
  ['descope', { aud: ['P2OkfVnJi5Ht7mpCqHjx17nV5epH'], roles: [], tenants: {} }],
  ['workos', { act: { sub: 'admin@example.com' }, roles: undefined, org_id: undefined }],
  ['kinde', { aud: ['https://api.example.com'], permissions: [], v: '2' }],
  ['zitadel', { 'urn:zitadel:iam:org:project:roles': {} }],
  ['zitadel', { 'urn:zitadel:iam:org:project:roles': undefined }],
  ['fusionauth', { roles: undefined, tty: 'at' }],
  ['ory', { ext: {} }],
] as const)('the call of the page %s accepts %j too', async (name, claims) => {
  const page = PAGES.find((candidate) => candidate.name === name)!;
  await acceptTokens(page);
  const credential = await sign(page, { ...claimsOf(page), ...(claims as Claims) });
  expect(await refusalMessageOf(signalbox, credential)).toBe('open');
});
