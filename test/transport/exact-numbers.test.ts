import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

let signalbox: TestService;
let credential: string;
beforeAll(async () => {
  signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  ({ credential } = await mint(signalbox, { role: 'MODERATOR' }));
});
afterAll(() => signalbox[Symbol.asyncDispose]());

const PUBLISH =
  'mutation ($d: JSON) { publishMessage(channel: "room", event: "e", data: $d) { message { data } } }';
const OPERATIONS = {
  publish: PUBLISH,
  setState: 'mutation ($d: JSON!) { setChannelState(channel: "room", state: $d) { version } }',
  patchState: 'mutation ($d: JSON!) { patchChannelState(channel: "room", patch: $d) { version } }',
  tokenState: 'mutation ($d: JSON) { createToken(input: { state: $d }) { token { id } } }',
  presence: 'mutation ($d: JSON) { setPresence(state: $d) { id } }',
};

/** Posts a body as it is, so that JavaScript does not change the number. */
async function post(body: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${signalbox.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${signalbox.apiKey}`, ...headers },
    body,
  });
  return await response.json();
}

const bodyOf = (query: string, data: string) =>
  `{"query":${JSON.stringify(query)},"variables":{"d":${data}}}`;

const refused = (field: string) => ({
  message: `JSON cannot carry the number at ${field} exactly; send it as a string.`,
  extensions: { code: 'BAD_USER_INPUT', retryable: false, field },
});

test.each(Object.entries(OPERATIONS).filter(([name]) => name !== 'presence'))(
  'over HTTP %s refuses a number in a variable and names its path',
  async (_, query) => {
    for (const number of ['1e400', '12345678901234567890', '9007199254740993']) {
      const { errors } = await post(bodyOf(query, `{"user":{"ids":[1,${number}]}}`));
      expect(errors).toMatchObject([refused('variables.d.user.ids[1]')]);
    }
  },
);

test.each([
  ['a page', { origin: 'http://HOST' }],
  ['SSE', { accept: 'text/event-stream' }],
  ['GraphQL over HTTP', { accept: 'application/graphql-response+json' }],
])('a number that loses precision is refused in a request of %s, too', async (_, headers) => {
  const own = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace('http://HOST', signalbox.url)]),
  );
  const { errors } = await post(bodyOf(PUBLISH, '[1e400]'), own);
  expect(errors).toMatchObject([refused('variables.d[0]')]);
});

test('refuses a number that loses precision in the URL of a GET too', async () => {
  const url = new URL(`${signalbox.url}/graphql`);
  url.searchParams.set('query', 'query ($d: Int) { channels(first: $d) { nodes { id } } }');
  url.searchParams.set('variables', '{"d":12345678901234567890}');
  const response = await fetch(url, { headers: { authorization: `Bearer ${signalbox.apiKey}` } });
  expect((await response.json()).errors).toMatchObject([refused('variables.d')]);
});

test.each(Object.entries(OPERATIONS))(
  'over WebSocket %s is refused and the socket stays open',
  async (name, query) => {
    using socket = await connectSocket(
      signalbox,
      name === 'tokenState' ? { apiKey: signalbox.apiKey } : { token: credential },
    );
    const send = (id: string, data: string) =>
      socket.send(`{"id":"${id}","type":"subscribe","payload":${bodyOf(query, data)}}`);
    send('1', '{"n":12345678901234567890}');
    expect(await socket.next()).toMatchObject({
      id: '1',
      type: 'error',
      payload: [refused('variables.d.n')],
    });
    send('2', '{"n":9007199254740991,"f":0.1,"s":"1e400"}');
    expect(await socket.next()).toMatchObject({ id: '2', type: 'next' });
  },
);

test('a literal in the document is refused with the path from its argument', async () => {
  const publish = (data: string) =>
    `mutation { publishMessage(channel: "room", event: "e", data: ${data}) { connections } }`;
  for (const [data, path] of [
    ['1e400', 'data'],
    ['{ user: { ids: [1, 12345678901234567890] } }', 'data.user.ids[1]'],
    ['[[-9007199254740993]]', 'data[0][0]'],
  ] as const) {
    expect((await signalbox.ask(publish(data))).errors).toMatchObject([refused(path)]);
  }
  const withDefault =
    'mutation ($d: JSON = [1e400]) { publishMessage(channel: "room", event: "e", data: $d) { connections } }';
  expect((await signalbox.ask(withDefault)).errors).toMatchObject([refused('$d[0]')]);
});

test('a number that JSON carries exactly is delivered unchanged', async () => {
  for (const number of ['9007199254740991', '1e21', '0.1', '-5e-324', '10000000000000000000']) {
    const { data } = await post(bodyOf(PUBLISH, number));
    expect(data.publishMessage.message.data).toBe(Number(number));
  }
  const { data } = await post(bodyOf(PUBLISH, '{"id":"12345678901234567890"}'));
  expect(data.publishMessage.message.data).toEqual({ id: '12345678901234567890' });
});
