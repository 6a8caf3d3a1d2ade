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

/** What it says MAY be is as we do it, too: then a change of mind is a change of this line. */
describe('the audit of GraphQL over HTTP says that a server', () => {
  test.for(serverAudits({ url: () => `${signalbox.url}/graphql` }))('$name ($id)', async ({ fn }) => {
    expect(await fn()).toMatchObject({ status: 'ok' });
  });
});

const GRAPHQL = 'application/graphql-response+json';
const JSON_ONLY = 'application/json';

interface Asked {
  body?: unknown;
  accept?: string;
  bearer?: string | undefined;
}

async function ask({ body, accept = GRAPHQL, bearer }: Asked) {
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
  { what: 'what is no JSON', body: '{nope' },
  { what: 'what names no query', body: {} },
  { what: 'a batch', body: [{ query: '{ viewer { kind } }' }] },
])(
  '$what is 400 whatever is accepted, with a code of the catalogue and no word of the body',
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
  { what: 'a syntax error', query: '{', code: 'GRAPHQL_PARSE_FAILED' },
  { what: 'an unknown field', query: '{ nothing }', code: 'GRAPHQL_VALIDATION_FAILED' },
  { what: 'a missing variable', query: 'query ($t: ID!) { isOnline(token: $t) }', code: 'BAD_USER_INPUT' },
  {
    what: 'an operation that is not there',
    query: 'query A { viewer { kind } } query B { viewer { kind } }',
    code: 'BAD_USER_INPUT',
  },
  {
    what: 'a subscription that is refused',
    query: 'subscription { events(since: "made up") { at } }',
    code: 'BAD_USER_INPUT',
    field: 'cursor',
  },
])(
  '$what is 400 where a status may say so, and 200 to those who accept only JSON',
  async ({ query, code, field }) => {
    for (const [accept, status] of [
      [GRAPHQL, 400],
      [JSON_ONLY, 200],
    ] as const) {
      const asked = await ask({ body: { query }, accept });
      expect(asked).toMatchObject({ status, extensions: { code, retryable: false } });
      expect(asked.answer).not.toHaveProperty('data');
      expect(asked.extensions.field).toBe(field);
    }
  },
);

test('a credential that opens nothing is 401 where a status may say so', async () => {
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

test('an answer with data is 200, whatever of it was refused', async () => {
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
  // Here a field that cannot be null was refused.
  expect(await ask({ body, bearer: credential })).toMatchObject({ status: 200, answer: { data: null } });
});

test('a mutation by GET is 405 and does nothing', async () => {
  const query = encodeURIComponent('mutation { createChannel(input: { id: "by-get" }) { id } }');
  const response = await fetch(`${signalbox.url}/graphql?query=${query}`, {
    headers: { authorization: `Bearer ${signalbox.apiKey}`, accept: JSON_ONLY },
  });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  const { errors } = await signalbox.ask('{ channel(id: "by-get") { id } }');
  expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
});

test('what HTTP adds to the errors of a document is not shown over WebSocket', async () => {
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
