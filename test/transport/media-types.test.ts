import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService, type TestService } from '../support/service.ts';

let signalbox: TestService;
beforeAll(async () => {
  signalbox = await startService();
});
afterAll(() => signalbox[Symbol.asyncDispose]());

const QUERY = 'mutation { createChannel(input: {}) { id } }';
const countChannels = async () =>
  (await signalbox.request('{ channels(first: 100) { nodes { id } } }')).channels.nodes.length as number;
const post = (body: BodyInit, contentType: string | undefined, accept = '*/*') =>
  fetch(`${signalbox.url}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${signalbox.apiKey}`,
      accept,
      ...(contentType !== undefined && { 'content-type': contentType }),
    },
    body,
  });

test.each([
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
  'application/graphql+json',
])('executes a POST of %s', async (contentType) => {
  const before = await countChannels();
  const response = await post(JSON.stringify({ query: QUERY }), contentType);
  expect(response.status).toBe(200);
  expect(await countChannels()).toBe(before + 1);
});

test.each([
  ['a form', 'application/x-www-form-urlencoded', `query=${encodeURIComponent(QUERY)}`],
  ['a multipart form', 'multipart/form-data; boundary=x', '--x--'],
  ['plain text', 'text/plain', JSON.stringify({ query: QUERY })],
  ['GraphQL', 'application/graphql', QUERY],
  ['UTF-16', 'application/json; charset=utf-16', JSON.stringify({ query: QUERY })],
  ['two media types', 'application/json, text/plain', JSON.stringify({ query: QUERY })],
  ['a type that begins like JSON', 'application/jsonp', JSON.stringify({ query: QUERY })],
  ['another type that is written as JSON', 'application/vnd.api+json', JSON.stringify({ query: QUERY })],
  ['a response', 'application/graphql-response+json', JSON.stringify({ query: QUERY })],
  ['a type in a parameter', 'text/plain; x=application/json', JSON.stringify({ query: QUERY })],
])('answers a POST of %s with 415 and executes nothing', async (_, contentType, body) => {
  const before = await countChannels();
  const response = await post(body, contentType);
  expect(response.status).toBe(415);
  expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  expect(await countChannels()).toBe(before);
});

test('a POST without Content-Type is refused with 415 and a message that names application/json', async () => {
  // A Uint8Array has no type of its own, so fetch sends no Content-Type.
  const response = await post(new TextEncoder().encode(JSON.stringify({ query: QUERY })), undefined);
  expect(response.status).toBe(415);
  expect((await response.json()).errors[0].message).toBe(
    'The request has no Content-Type; send application/json.',
  );
});

test.each(['text/html', 'image/*', 'application/xml;q=0.9, text/plain', 'application/json;charset=utf-16'])(
  'answers a request that accepts only %s with 406 and executes nothing',
  async (accept) => {
    const before = await countChannels();
    const response = await post(JSON.stringify({ query: QUERY }), 'application/json', accept);
    expect(response.status).toBe(406);
    expect((await response.json()).errors[0]).toMatchObject({
      message: expect.stringContaining('Accept application/json'),
      extensions: { code: 'BAD_USER_INPUT' },
    });
    expect(await countChannels()).toBe(before);
  },
);

test.each([
  '',
  'application/*',
  'text/html, application/json;q=0.1',
  'multipart/mixed, application/json',
  'APPLICATION/JSON; charset=UTF-8',
])('executes a request that accepts “%s”', async (accept) => {
  const before = await countChannels();
  const response = await post(JSON.stringify({ query: QUERY }), 'application/json', accept);
  expect(response.status).toBe(200);
  expect(await countChannels()).toBe(before + 1);
});
