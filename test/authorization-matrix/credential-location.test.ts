import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf } from '../support/projects.ts';
import { type Answer } from '../support/service.ts';
import { connectSocket, upgrade } from '../support/socket.ts';
import { createIssuerFixture, type IssuerFixture } from './issuer-fixture.ts';
import { tryConnect } from './authenticate.ts';

let fixture: IssuerFixture;
let credentials: string[];
/** The credential that the service signed itself. */
let ownCredential: string;
beforeAll(async () => {
  fixture = await createIssuerFixture();
  const ownToken = await fixture.signalbox.request('mutation { createToken { credential } }');
  const unsigned = await fixture.signalbox.request('mutation { createDevelopmentToken(identity: "ada") }');
  ownCredential = ownToken.createToken.credential;
  credentials = [
    ...Object.values(await fixture.validCredentials()),
    ownCredential,
    unsigned.createDevelopmentToken,
  ];
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function viewerKind(headers: Record<string, string>): Promise<unknown> {
  const response = await fetch(`${fixture.signalbox.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"query":"{ viewer { kind } }"}',
  });
  const answer = (await response.json()) as Answer;
  return codeOf(answer) ?? answer.data.viewer.kind;
}

test('an API key is refused as a token, and a token as an API key', async () => {
  const { signalbox, signingKey } = fixture;
  for (const key of [signalbox.apiKey, signingKey.secret]) {
    expect(await tryConnect(signalbox, { apiKey: key })).toBeUndefined();
    expect(await tryConnect(signalbox, { token: key })).toBe(4401);
  }
  for (const credential of credentials) {
    expect(await tryConnect(signalbox, { token: credential })).toBeUndefined();
    expect(await tryConnect(signalbox, { apiKey: credential })).toBe(4401);
    expect(await tryConnect(signalbox, { apiKey: `key_${credential}` })).toBe(4401);
    expect(await tryConnect(signalbox, { token: credential, apiKey: signalbox.apiKey })).toBe(4401);
    expect(await viewerKind({ authorization: `Bearer key_${credential}` })).toBe('UNAUTHENTICATED');
  }
  using socket = await connectSocket(signalbox, { token: credentials[0] });
  const query = 'mutation ($c: String!) { reauthenticate(credential: $c) { kind } }';
  socket.send({ id: '1', type: 'subscribe', payload: { query, variables: { c: signalbox.apiKey } } });
  const { payload } = await socket.next();
  expect(codeOf(payload.errors ? payload : { errors: payload })).toBe('UNAUTHENTICATED');
});

test('only an Authorization header with one bearer credential authenticates a request', async () => {
  for (const credential of [...credentials, fixture.signalbox.apiKey]) {
    const kind = credential.startsWith('key_') ? 'API_KEY' : 'TOKEN';
    for (const validCredentials of [`Bearer ${credential}`, `bearer  ${credential}`]) {
      expect(await viewerKind({ authorization: validCredentials })).toBe(kind);
    }
    for (const value of [
      credential,
      `Basic ${Buffer.from(`key:${credential}`).toString('base64')}`,
      `Token ${credential}`,
      `Bearer${credential}`,
      `Bearer "${credential}"`,
      `Bearer token=${credential}`,
      `Bearer ${credential} ${credential}`,
      `Bearer ${credential}, Bearer ${credential}`,
      `Bearer ${credential},`,
      `Bearer Bearer ${credential}`,
      'Bearer',
      'Bearer null',
      'Bearer undefined',
      'Bearer [object Object]',
    ]) {
      expect({ value, code: await viewerKind({ authorization: value }) }).toEqual({
        value,
        code: 'UNAUTHENTICATED',
      });
    }
    for (const header of ['cookie', 'proxy-authorization', 'x-authorization'])
      expect(await viewerKind({ [header]: header === 'cookie' ? `token=${credential}` : credential })).toBe(
        'ANONYMOUS',
      );
    // Other services take keys there. Not anonymous without a word if the key or the credential is of this service.
    const isOwn = kind === 'API_KEY' || credential === ownCredential;
    for (const header of ['x-api-key', 'apikey', 'token'])
      expect(await viewerKind({ [header]: credential })).toBe(isOwn ? 'UNAUTHENTICATED' : 'ANONYMOUS');
  }
});

const PARAMETERS = [
  'token',
  'apiKey',
  'api_key',
  'key',
  'access_token',
  'authorization',
  'credential',
  'secret',
  'Token',
];

test.each(PARAMETERS)(
  'a credential in the URL parameter %s is refused, and is neither returned nor logged',
  async (name) => {
    const { signalbox, log } = fixture;
    for (const credential of [...credentials, signalbox.apiKey]) {
      const path = `/graphql?query=%7Bviewer%7Bkind%7D%7D&${name}=${encodeURIComponent(credential)}`;
      expect(await upgrade(signalbox, { path })).toMatchObject({ status: 400 });
      for (const method of ['GET', 'POST']) {
        const response = await fetch(signalbox.url + path, {
          method,
          headers: { 'content-type': 'application/json', authorization: `Bearer ${signalbox.apiKey}` },
          ...(method === 'POST' && { body: '{"query":"{ viewer { kind } }"}' }),
        });
        const text = await response.text();
        expect(response.status).toBe(400);
        expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
        expect(text).not.toContain(credential.slice(-12));
      }
      expect(log.lines.join()).not.toContain(credential.slice(-12));
    }
  },
);
