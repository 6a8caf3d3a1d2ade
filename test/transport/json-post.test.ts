import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';

let signalbox: TestService;
let credential: string;

beforeAll(async () => {
  signalbox = await startService();
  await createChannel(signalbox, 'lobby', { type: 'PUBLIC' });
  ({ credential } = await mint(signalbox, { role: 'SUBSCRIBER' }));
});
afterAll(() => signalbox[Symbol.asyncDispose]());

interface Request {
  body: unknown;
  bearer?: string | null;
  accept?: string;
  headers?: Record<string, string>;
}

/** Posts a request. `byYoga`: with a spelling of the content type that only yoga accepts. */
async function post({ body, bearer = API_KEY, accept, headers = {} }: Request, byYoga: boolean) {
  const response = await fetch(`${signalbox.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': byYoga ? 'application/json;  charset=utf-8' : 'application/json',
      ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
      ...(accept !== undefined && { accept }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    allowed: response.headers.get('access-control-allow-origin'),
    body: await response.text(),
  };
}

const VIEWER = '{ viewer { kind } }';
const NAMED = 'query A { viewer { kind } } query B { isOnline(token: "token_1") }';
const MANY = 'query ($channel: ID!) { channel(id: $channel) { id type } }';
const PUBLISH =
  'mutation { publishMessage(channel: "lobby", event: "e", idempotencyKey: "k") { repeated message { event } } }';

test.each<[string, Request]>([
  ['a query', { body: { query: VIEWER } }],
  ['an anonymous query', { body: { query: VIEWER }, bearer: null }],
  ['an unknown API key', { body: { query: VIEWER }, bearer: 'key_none.0123456789abcdef' }],
  ['an unknown project', { body: { query: VIEWER }, bearer: null, headers: { project: 'none' } }],
  ['one of two operations', { body: { query: NAMED, operationName: 'B' } }],
  ['neither of two operations', { body: { query: NAMED } }],
  ['an unknown operation name', { body: { query: NAMED, operationName: 'C' } }],
  ['an operation name that is a number', { body: { query: VIEWER, operationName: 1 } }],
  ['variables', { body: { query: MANY, variables: { channel: 'lobby' } } }],
  ['null variables', { body: { query: VIEWER, variables: null, extensions: null } }],
  ['a missing variable', { body: { query: MANY, variables: {} } }],
  ['a variable of another type', { body: { query: MANY, variables: { channel: {} } } }],
  ['variables that are a list', { body: { query: VIEWER, variables: [] } }],
  ['an unknown parameter', { body: { query: VIEWER, more: 1 } }],
  ['a list', { body: [{ query: VIEWER }] }],
  ['a body that is not JSON', { body: '{ "query": ' }],
  ['a body without a query', { body: {} }],
  ['a syntax error', { body: { query: '{' } }],
  ['an unknown field', { body: { query: '{ nothing }' } }],
  ['a refusal among data', { body: { query: `{ viewer { kind } token(id: "token_1") { id } }` } }],
  ['a refusal that makes all data null', { body: { query: '{ tokens { nodes { id } } }' }, bearer: null }],
  ['a mutation', { body: { query: PUBLISH } }],
  ['a refused mutation', { body: { query: PUBLISH }, bearer: 'TOKEN' }],
  ['a subscription', { body: { query: 'subscription { nothing }' } }],
  [
    'only application/graphql-response+json',
    { body: { query: VIEWER }, accept: 'application/graphql-response+json' },
  ],
  [
    'both JSON types',
    { body: { query: VIEWER }, accept: 'application/json, application/graphql-response+json' },
  ],
  [
    'a refusal in application/graphql-response+json',
    { body: { query: MANY }, accept: 'application/graphql-response+json, application/json;q=0.9' },
  ],
  ['text/html', { body: { query: VIEWER }, accept: 'text/html' }],
  ['an Origin header of the same host', { body: { query: VIEWER }, headers: { origin: 'http://127.0.0.1' } }],
])('answers %s in the same way as yoga', async (_, request) => {
  const bound = request.bearer === 'TOKEN' ? { ...request, bearer: credential } : request;
  // The first publish differs from its repetitions, so it is sent in advance.
  if (JSON.stringify(request.body).includes('idempotencyKey')) await post(bound, true);
  const expected = await post(bound, true);
  expect(await post(bound, false)).toEqual(expected);
});

test('executes with the caller of the Authorization header', async () => {
  const { body } = await post({ body: { query: VIEWER }, bearer: credential }, false);
  expect(JSON.parse(body)).toEqual({ data: { viewer: { kind: 'TOKEN' } } });
});

test('a request that is refused before its execution counts as one refusal', async () => {
  const readRefusals = async () => {
    const text = await (await fetch(`${signalbox.url}/metrics`)).text();
    const counts = [...text.matchAll(/^signalbox_refusals_total\{[^}]*\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const before = await readRefusals();
  await post({ body: { query: MANY, variables: {} } }, false);
  expect(await readRefusals()).toBe(before + 1);
});
