import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mint, revokeToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

let signalbox: TestService;
beforeAll(async () => {
  signalbox = await startService();
});
afterAll(() => signalbox[Symbol.asyncDispose]());

/** All audits pass, including the optional ones (MAY). */
describe('graphql-http audit', () => {
  test.for(serverAudits({ url: () => `${signalbox.url}/graphql` }))('$name ($id)', async ({ fn }) => {
    expect(await fn()).toMatchObject({ status: 'ok' });
  });
});

const GRAPHQL = 'application/graphql-response+json';
const JSON_ONLY = 'application/json';

interface Request {
  body?: unknown;
  accept?: string;
  bearer?: string | undefined;
}

async function ask({ body, accept = GRAPHQL, bearer }: Request) {
  const response = await fetch(`${signalbox.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept,
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer: any = await response.json();
  return { status: response.status, answer, extensions: answer.errors?.[0].extensions };
}

test.for([
  { input: 'a body that is not JSON', body: '{nope' },
  { input: 'a body without a query', body: {} },
  { input: 'a batch', body: [{ query: '{ viewer { kind } }' }] },
])(
  'answers $input with 400 and BAD_USER_INPUT for every accepted type, without quoting the body',
  async ({ body }) => {
    for (const accept of [GRAPHQL, JSON_ONLY]) {
      const { status, answer, extensions } = await ask({ body, accept });
      expect(status).toBe(400);
      expect(extensions).toEqual({ code: 'BAD_USER_INPUT', retryable: false });
      expect(JSON.stringify(answer)).not.toContain('nope');
    }
  },
);

test.for([
  { input: 'a syntax error', query: '{', code: 'GRAPHQL_PARSE_FAILED' },
  { input: 'an unknown field', query: '{ nothing }', code: 'GRAPHQL_VALIDATION_FAILED' },
  { input: 'a missing variable', query: 'query ($t: ID!) { isOnline(token: $t) }', code: 'BAD_USER_INPUT' },
  {
    input: 'an unknown operation name',
    query: 'query A { viewer { kind } } query B { viewer { kind } }',
    code: 'BAD_USER_INPUT',
  },
])(
  'answers $input with 400 for application/graphql-response+json and with 200 for application/json',
  async ({ query, code }) => {
    for (const [accept, status] of [
      [GRAPHQL, 400],
      [JSON_ONLY, 200],
    ] as const) {
      const refused = await ask({ body: { query }, accept });
      expect(refused).toMatchObject({ status, extensions: { code, retryable: false } });
      expect(refused.answer).not.toHaveProperty('data');
    }
  },
);

test('answers an invalid credential with 401 for application/graphql-response+json and with 200 for application/json', async () => {
  const { id, credential } = await mint(signalbox);
  await revokeToken(signalbox, id);
  for (const [bearer, code] of [
    ['made.up.credential', 'UNAUTHENTICATED'],
    ['key_test.ffffffffffffffffffffffffffff', 'UNAUTHENTICATED'],
    [credential, 'TOKEN_REVOKED'],
  ] as const) {
    const body = { query: '{ viewer { kind } }' };
    expect(await ask({ body, bearer })).toMatchObject({ status: 401, extensions: { code } });
    expect(await ask({ body, bearer, accept: JSON_ONLY })).toMatchObject({
      status: 200,
      extensions: { code },
    });
  }
});

test('answers a result with data with 200, even if some fields were refused', async () => {
  const { credential } = await mint(signalbox);
  const body = { query: '{ viewer { kind } channel(id: "nowhere") { id } tokens { nodes { id } } }' };
  expect(
    await ask({ body: { query: '{ viewer { kind } channel(id: "nowhere") { id } }' }, bearer: credential }),
  ).toEqual({
    status: 200,
    answer: {
      data: { viewer: { kind: 'TOKEN' }, channel: null },
      errors: [expect.objectContaining({ path: ['channel'] })],
    },
    extensions: { code: 'FORBIDDEN', retryable: false },
  });
  // A refused non-null field makes the whole data null.
  expect(await ask({ body, bearer: credential })).toMatchObject({ status: 200, answer: { data: null } });
});

test('answers a mutation by GET with 405 and does not execute it', async () => {
  const query = encodeURIComponent('mutation { createChannel(input: { id: "by-get" }) { id } }');
  const response = await fetch(`${signalbox.url}/graphql?query=${query}`, {
    headers: { authorization: `Bearer ${signalbox.apiKey}`, accept: JSON_ONLY },
  });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  const { errors } = await signalbox.ask('{ channel(id: "by-get") { id } }');
  expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
});

test('does not show the HTTP extension of cached validation errors over WebSocket', async () => {
  const query = '{ soughtInVain }';
  await ask({ body: { query } });
  expect(await queueResults(signalbox.client(), query).ended).toEqual([
    {
      message: expect.stringContaining('soughtInVain'),
      locations: [{ line: 1, column: 3 }],
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED', retryable: false },
    },
  ]);
});
