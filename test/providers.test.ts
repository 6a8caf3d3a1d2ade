import { createHmac } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { blockWith } from './support/code-blocks.ts';
import { refusalMessageOf, tokenOf } from './support/external-credentials.ts';
import { PROVIDER_PAGES, type Claims, type ProviderPage } from './support/provider-pages.ts';
import { startProvider, trustCertificate, type ProviderServer } from './support/provider.ts';
import { startService, type TestService } from './support/service.ts';
import { connectSocket, openSocket } from './support/socket.ts';

/** The pages of docs/providers: each token that a page shows opens a connection after the call that the page shows. */

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

const pathOf = ({ name }: ProviderPage) => `docs/providers/${name}.md`;

/** Runs the call of the page, with the key set of the local provider in place of the documented one. */
async function acceptTokens(page: ProviderPage): Promise<void> {
  const call = blockWith(pathOf(page), 'createIssuer');
  const local = call.replace(/url: "https:[^"]*"/, `url: ${JSON.stringify(provider.url)}`);
  expect(local).toContain(provider.url);
  await signalbox.request(local);
}

/** The claims that the page shows, issued now. */
function claimsOf(page: ProviderPage): Claims & { iat: number; exp: number; nbf?: number } {
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

const sign = ({ alg }: ProviderPage, claims: Claims, keys = pairs) =>
  new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT', kid: alg }).sign(keys[alg].privateKey);

test.each(PROVIDER_PAGES)(
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
  PROVIDER_PAGES.flatMap((page) =>
    page.neighbours.map(([what, claims, why]) => ({ page, what, claims, why })),
  ),
)('the call of the page $page.name accepts no token with $what', async ({ page, claims, why }) => {
  await acceptTokens(page);
  const credential = await sign(page, { ...claimsOf(page), ...claims });
  expect(await refusalMessageOf(signalbox, credential)).toContain(why);
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { token: credential } });
  expect(await socket.closed).toMatchObject({ code: 4401 });
});

test.each(PROVIDER_PAGES)(
  'the call of the page $name accepts no token for another audience or key',
  async (page) => {
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
  },
);

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
  const page = PROVIDER_PAGES.find((candidate) => candidate.name === name)!;
  await acceptTokens(page);
  const credential = await sign(page, { ...claimsOf(page), ...(claims as Claims) });
  expect(await refusalMessageOf(signalbox, credential)).toBe('open');
});
