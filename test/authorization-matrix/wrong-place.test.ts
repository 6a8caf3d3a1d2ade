import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf } from '../support/projects.ts';
import { type Answer } from '../support/service.ts';
import { connectSocket, upgrade } from '../support/socket.ts';
import { openKinds, type Kinds } from './kinds.ts';
import { knock } from './present.ts';

let kinds: Kinds;
let credentials: string[];
beforeAll(async () => {
  kinds = await openKinds();
  const ours = await kinds.signalbox.request('mutation { createToken { credential } }');
  const unsigned = await kinds.signalbox.request('mutation { createDevelopmentToken(identity: "ada") }');
  credentials = [
    ...Object.values(await kinds.good()),
    ours.createToken.credential,
    unsigned.createDevelopmentToken,
  ];
});
afterAll(() => kinds[Symbol.asyncDispose]());

async function viewerKind(headers: Record<string, string>): Promise<unknown> {
  const response = await fetch(`${kinds.signalbox.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"query":"{ viewer { kind } }"}',
  });
  const answer = (await response.json()) as Answer;
  return codeOf(answer) ?? answer.data.viewer.kind;
}

test('an API key is no token, and a token no API key', async () => {
  const { signalbox, signingKey } = kinds;
  for (const key of [signalbox.apiKey, signingKey.secret]) {
    expect(await knock(signalbox, { apiKey: key })).toBeUndefined();
    expect(await knock(signalbox, { token: key })).toBe(4401);
  }
  for (const credential of credentials) {
    expect(await knock(signalbox, { token: credential })).toBeUndefined();
    expect(await knock(signalbox, { apiKey: credential })).toBe(4401);
    expect(await knock(signalbox, { apiKey: `key_${credential}` })).toBe(4401);
    expect(await knock(signalbox, { token: credential, apiKey: signalbox.apiKey })).toBe(4401);
    expect(await viewerKind({ authorization: `Bearer key_${credential}` })).toBe('UNAUTHENTICATED');
  }
  using socket = await connectSocket(signalbox, { token: credentials[0] });
  const query = 'mutation ($c: String!) { reauthenticate(credential: $c) { kind } }';
  socket.send({ id: '1', type: 'subscribe', payload: { query, variables: { c: signalbox.apiKey } } });
  const { payload } = await socket.next();
  expect(codeOf(payload.errors ? payload : { errors: payload })).toBe('UNAUTHENTICATED');
});

test('the Authorization header is a bearer’s, and holds one thing', async () => {
  for (const credential of [...credentials, kinds.signalbox.apiKey]) {
    const kind = credential.startsWith('key_') ? 'API_KEY' : 'TOKEN';
    for (const good of [`Bearer ${credential}`, `bearer  ${credential}`]) {
      expect(await viewerKind({ authorization: good })).toBe(kind);
    }
    for (const bad of [
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
      expect({ bad, code: await viewerKind({ authorization: bad }) }).toEqual({
        bad,
        code: 'UNAUTHENTICATED',
      });
    }
    for (const header of [
      'cookie',
      'x-api-key',
      'proxy-authorization',
      'x-authorization',
      'apikey',
      'token',
    ]) {
      expect(await viewerKind({ [header]: header === 'cookie' ? `token=${credential}` : credential })).toBe(
        'ANONYMOUS',
      );
    }
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
  'a credential in a URL, as %s, is refused wherever it would have worked',
  async (name) => {
    const { signalbox, log } = kinds;
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
