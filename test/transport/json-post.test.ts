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

/** What is answered; by way of yoga, where the content type is spelled as only yoga reads it. */
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
  ['nobody’s query', { body: { query: VIEWER }, bearer: null }],
  ['a key that is none', { body: { query: VIEWER }, bearer: 'key_none.0123456789abcdef' }],
  ['a project that is none', { body: { query: VIEWER }, bearer: null, headers: { project: 'none' } }],
  ['one of two operations', { body: { query: NAMED, operationName: 'B' } }],
  ['neither of two operations', { body: { query: NAMED } }],
  ['an operation that is not there', { body: { query: NAMED, operationName: 'C' } }],
  ['an operation name that is a number', { body: { query: VIEWER, operationName: 1 } }],
  ['variables', { body: { query: MANY, variables: { channel: 'lobby' } } }],
  ['variables that are null', { body: { query: VIEWER, variables: null, extensions: null } }],
  ['a variable that is missing', { body: { query: MANY, variables: {} } }],
  ['a variable of another type', { body: { query: MANY, variables: { channel: {} } } }],
  ['variables that are a list', { body: { query: VIEWER, variables: [] } }],
  ['a parameter that there is not', { body: { query: VIEWER, more: 1 } }],
  ['a list', { body: [{ query: VIEWER }] }],
  ['no JSON', { body: '{ "query": ' }],
  ['no query', { body: {} }],
  ['no GraphQL', { body: { query: '{' } }],
  ['no such field', { body: { query: '{ nothing }' } }],
  ['a refusal among data', { body: { query: `{ viewer { kind } token(id: "token_1") { id } }` } }],
  ['a refusal that leaves nothing', { body: { query: '{ tokens { nodes { id } } }' }, bearer: null }],
  ['a mutation', { body: { query: PUBLISH } }],
  ['a refused mutation', { body: { query: PUBLISH }, bearer: 'TOKEN' }],
  ['a subscription', { body: { query: 'subscription { nothing }' } }],
  ['the type of its own', { body: { query: VIEWER }, accept: 'application/graphql-response+json' }],
  ['either type', { body: { query: VIEWER }, accept: 'application/json, application/graphql-response+json' }],
  [
    'a refusal in the type of its own',
    { body: { query: MANY }, accept: 'application/graphql-response+json, application/json;q=0.9' },
  ],
  ['a page', { body: { query: VIEWER }, accept: 'text/html' }],
  ['a page of ours', { body: { query: VIEWER }, headers: { origin: 'http://127.0.0.1' } }],
])('%s is answered as yoga answers it', async (_, request) => {
  const asked = request.bearer === 'TOKEN' ? { ...request, bearer: credential } : request;
  // A publish is said once and repeated from then on.
  if (JSON.stringify(request.body).includes('idempotencyKey')) await post(asked, true);
  const expected = await post(asked, true);
  expect(await post(asked, false)).toEqual(expected);
});

test('what is said by it arrives, and the caller is who it is', async () => {
  const { body } = await post({ body: { query: VIEWER }, bearer: credential }, false);
  expect(JSON.parse(body)).toEqual({ data: { viewer: { kind: 'TOKEN' } } });
});
