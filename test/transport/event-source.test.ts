import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { createChannel, isOnline, mint, publish, revokeToken, roundTrip } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createLog } from '../support/log.ts';
import { createProxy } from '../support/proxy.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';
import { fetchStream, readStream } from '../support/sse.ts';

const MESSAGES = 'subscription { messages(channel: "porch") { event } }';
const EVENTS = 'subscription { events { __typename ... on ChannelMessage { message { event } } } }';
const TICKET = 'mutation { createStreamTicket { ticket expiresAt } }';

/** Requests a stream as an EventSource does. */
function openStream(
  { url }: Pick<TestService, 'url'>,
  query: string,
  headers: Record<string, string> = {},
  ticket?: string,
) {
  const parameters = new URLSearchParams({ query, ...(ticket !== undefined && { ticket }) });
  return fetch(`${url}/graphql?${parameters.toString()}`, {
    headers: { accept: 'text/event-stream', ...headers },
  });
}

/** The status of a response whose body is not read. */
async function statusOf(response: Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.cancel();
  return status;
}

/** Prints each event of a real EventSource. The timer keeps the process alive while it waits to reconnect. */
const EVENT_SOURCE = `setInterval(() => undefined, 1000);
const source = new EventSource(process.argv[1]);
for (const name of ['open', 'error', 'next', 'complete'])
  source.addEventListener(name, ({ data, lastEventId }) =>
    console.log(JSON.stringify({ name, data, lastEventId, state: source.readyState })));`;

test('an EventSource receives events by the name next and resumes after a cut without loss or repetition', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'porch', { type: 'UNPROTECTED' });
  await using proxy = await createProxy(Number(new URL(signalbox.url).port));
  const url = `http://127.0.0.1:${proxy.port}/graphql?query=${encodeURIComponent(MESSAGES)}`;
  const child = spawn(process.execPath, [
    '--experimental-eventsource',
    '--no-warnings',
    '-e',
    EVENT_SOURCE,
    url,
  ]);
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const nextOf = async (wanted: string) => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error('The EventSource ended.');
        const event = JSON.parse(value);
        if (event.name === wanted) return event;
      }
    };
    await nextOf('open');
    // Cut before any message: the stream has already sent its position.
    proxy.cut();
    await publish(signalbox, 'porch', 'one');
    expect(JSON.parse((await nextOf('next')).data)).toEqual({ data: { messages: { event: 'one' } } });
    await publish(signalbox, 'porch', 'two');
    expect(JSON.parse((await nextOf('next')).data)).toEqual({ data: { messages: { event: 'two' } } });
    proxy.cut();
    for (const event of ['three', 'four']) await publish(signalbox, 'porch', event);
    for (const event of ['three', 'four'])
      expect(JSON.parse((await nextOf('next')).data)).toEqual({ data: { messages: { event } } });
  } finally {
    child.kill();
  }
});

test('a ticket opens one event stream as its token, once, and without a credential in the URL', async () => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  await createChannel(signalbox, 'den', { type: 'PRIVATE' });
  const { id, credential } = await mint(signalbox, { channels: ['den'] });
  const { createStreamTicket } = await signalbox.request(TICKET, {}, credential);
  const { ticket } = createStreamTicket;
  const stream = readStream(await openStream(signalbox, EVENTS, {}, ticket));
  expect((await stream.next()).value).toMatchObject({
    data: { data: { events: { __typename: 'Connected' } } },
  });
  expect(await isOnline(signalbox, id)).toBe(true);
  await publish(signalbox, 'den', 'hello');
  expect((await stream.next()).value).toMatchObject({
    data: { data: { events: { message: { event: 'hello' } } } },
  });
  const again = await openStream(signalbox, EVENTS, {}, ticket);
  // An EventSource gives up on an answer that is no event stream, instead of repeating it for ever.
  expect(again.status).toBe(401);
  expect(await again.json()).toMatchObject({
    errors: [
      { message: expect.stringContaining('ticket') as string, extensions: { code: 'UNAUTHENTICATED' } },
    ],
  });
  expect(JSON.stringify(log)).not.toContain(ticket);
  await stream.return(undefined);
});

test('a ticket ends after a minute, with its token, and when the token has 20 others', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const { id, credential } = await mint(signalbox);
  const create = async () => (await signalbox.request(TICKET, {}, credential)).createStreamTicket;
  const late = await create();
  expect(new Date(late.expiresAt).getTime() - clock.now()).toBe(60_000);
  await clock.advance(60_000);
  expect(await statusOf(openStream(signalbox, EVENTS, {}, late.ticket))).toBe(401);
  for (let count = 0; count < 20; count++) await create();
  expect((await signalbox.ask(TICKET, {}, credential)).errors).toMatchObject([
    { extensions: { code: 'LIMIT_EXCEEDED' } },
  ]);
  await clock.advance(60_000);
  const { ticket } = await create();
  await revokeToken(signalbox, id);
  const refused = await openStream(signalbox, EVENTS, {}, ticket);
  expect(refused.status).toBe(401);
  expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'TOKEN_REVOKED' } }] });
});

test('a ticket is refused beside a credential, and for anything but an event stream', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox);
  const { ticket } = (await signalbox.request(TICKET, {}, credential)).createStreamTicket;
  const authorization = `Bearer ${credential}`;
  expect(await statusOf(openStream(signalbox, EVENTS, { authorization }, ticket))).toBe(400);
  const url = `${signalbox.url}/graphql?ticket=${ticket}&query=${encodeURIComponent('{ viewer { kind } }')}`;
  expect(await statusOf(fetch(url, { headers: { accept: 'application/graphql-response+json' } }))).toBe(400);
  const body = JSON.stringify({ query: '{ viewer { kind } }' });
  const post = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect(await post.text()).toContain('ticket');
  // None of these requests used the ticket up.
  expect(await statusOf(openStream(signalbox, EVENTS, {}, ticket))).toBe(200);
});

test('Last-Event-ID resumes events, and takes precedence over the argument since', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'den');
  const { credential, cursor } = await mint(signalbox, { channels: ['den'] });
  for (const event of ['one', 'two']) await publish(signalbox, 'den', event);
  const authorization = { authorization: `Bearer ${credential}` };
  const since = EVENTS.replace('events', `events(since: "${cursor}")`);
  const first = readStream(await openStream(signalbox, since, authorization));
  expect((await first.next()).value).toMatchObject({ id: cursor });
  const { value: one } = await first.next();
  expect(one!.data.data.events.message.event).toBe('one');
  await first.return(undefined);
  const headers = { ...authorization, 'last-event-id': one!.id! };
  const resumed = readStream(await openStream(signalbox, since, headers));
  expect((await resumed.next()).value).toMatchObject({ id: one!.id });
  expect((await resumed.next()).value!.data.data.events.message.event).toBe('two');
  await resumed.return(undefined);
});

test('a retryable error is an event stream with a retry time; any other error has an HTTP status', async () => {
  await using signalbox = await startService({ maxConnectionsPerAddress: 1 });
  await createChannel(signalbox, 'porch', { type: 'UNPROTECTED' });
  const open = readStream(await openStream(signalbox, EVENTS));
  await open.next();
  const full = await openStream(signalbox, MESSAGES);
  expect(full.headers.get('content-type')).toBe('text/event-stream');
  const text = await full.text();
  expect(text).toMatch(/^retry: 5000\n/);
  expect(text).toContain('"UNAVAILABLE"');
  await open.return(undefined);
  await using other = await startService();
  const refused = openStream(other, 'subscription { messages(channel: "none") { event } }');
  expect(await statusOf(refused)).toBe(401);
  // The answer above has a length, which the streams after it must not have.
  const next = await openStream(other, EVENTS);
  expect(next.headers.get('content-length')).toBeNull();
  await next.body?.cancel();
});

test('an event stream has the headers that proxies need, and a heartbeat on the ping interval', async () => {
  await using signalbox = await startService({ pingIntervalMs: 100 });
  await createChannel(signalbox, 'porch', { type: 'UNPROTECTED' });
  const { body, headers } = await openStream(signalbox, MESSAGES);
  expect(headers.get('x-accel-buffering')).toBe('no');
  expect(headers.get('content-encoding')).toBeNull();
  expect(headers.get('content-type')).toBe('text/event-stream');
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (text.length < 50) text += (await reader.read()).value ?? '';
  expect(text).toMatch(/^:\n\nid: \S{23}\n\n(:\n\n)+$/);
  await reader.cancel();
});

test.each([
  ['application/json'],
  ['application/graphql-response+json'],
  ['multipart/mixed, application/json'],
  ['multipart/mixed'],
])(
  'refuses a subscription asked for as %s with 406 and an error message, and without a trace in presence',
  async (accept) => {
    await using signalbox = await startService();
    await createChannel(signalbox, 'den');
    const { id, credential } = await mint(signalbox, { channels: ['den'] });
    const backend = signalbox.client();
    const presence = queueResults(backend, 'subscription { presence(channel: "den") { change } }');
    await roundTrip(backend);
    const response = await fetch(`${signalbox.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${credential}` },
      body: JSON.stringify({ query: EVENTS }),
    });
    expect(response.status).toBe(406);
    expect(await response.json()).toMatchObject({
      errors: [
        {
          message: expect.stringContaining('Accept: text/event-stream') as string,
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ],
    });
    expect(await isOnline(signalbox, id)).toBe(false);
    const stream = await fetchStream(signalbox, EVENTS, credential);
    // The only member that ever joined is the one of the event stream.
    expect(await presence.next()).toEqual({ presence: { change: 'JOINED' } });
    await stream.body?.cancel();
    expect(await presence.next()).toEqual({ presence: { change: 'LEFT' } });
    expect(presence.waiting).toEqual([]);
  },
);

test('a page of an allowed origin can read why it was refused', async () => {
  const origin = 'https://app.example';
  await using signalbox = await startService({ origins: [origin] });
  for (const [path, status] of [
    ['?token=x', 400],
    ['?query=%ff', 400],
    [`?ticket=x&query=${encodeURIComponent(EVENTS)}`, 401],
  ] as const) {
    const response = await fetch(`${signalbox.url}/graphql${path}`, {
      headers: { origin, accept: 'text/event-stream' },
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    await response.body?.cancel();
  }
});

test('text that is not UTF-8 is refused with 400 and an error message', async () => {
  await using signalbox = await startService();
  const post = (body: Uint8Array<ArrayBuffer>) =>
    fetch(`${signalbox.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${signalbox.apiKey}` },
      body,
    });
  const request = (text: string) => JSON.stringify({ query: '{ viewer { kind } }', variables: { text } });
  expect((await post(Uint8Array.from(Buffer.from(request('é'))))).status).toBe(200);
  for (const body of [Buffer.from(request('é'), 'latin1'), Buffer.from([0xff, 0xfe, 0x7b, 0x7d])]) {
    const response = await post(Uint8Array.from(body));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      errors: [
        { message: expect.stringContaining('UTF-8') as string, extensions: { code: 'BAD_USER_INPUT' } },
      ],
    });
  }
  for (const [escape, status] of [
    ['%C3%A9', 200],
    ['%E9', 400],
    ['%', 200],
  ] as const) {
    const url = `${signalbox.url}/graphql?query=%7Bviewer%7Bkind%7D%7D%23${escape}`;
    expect({ escape, status: await statusOf(fetch(url)) }).toEqual({ escape, status });
  }
});

/** Two network namespaces joined by a link that can be cut. Undefined where the system allows none. */
function createNetworkLink() {
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });
  const name = `sb${process.pid}`;
  const remove = () => {
    for (const args of [
      ['link', 'del', `${name}a`],
      ['netns', 'del', name],
    ])
      try {
        ip(...args);
      } catch {
        // It was not created.
      }
  };
  try {
    ip('netns', 'add', name);
    ip('link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`, 'netns', name);
    ip('addr', 'add', '10.231.77.1/30', 'dev', `${name}a`);
    ip('link', 'set', `${name}a`, 'up');
    ip('-n', name, 'addr', 'add', '10.231.77.2/30', 'dev', `${name}b`);
    ip('-n', name, 'link', 'set', `${name}b`, 'up');
  } catch (error) {
    remove();
    if (process.env['REQUIRE_SERVERS']) throw error;
    return undefined;
  }
  return {
    address: '10.231.77.1',
    run: (args: string[]) => execFile('ip', ['netns', 'exec', name, ...args]),
    cut: () => ip('-n', name, 'link', 'set', `${name}b`, 'down'),
    [Symbol.dispose]: remove,
  };
}

test('a peer that vanishes without a FIN leaves presence within two heartbeats', async (context) => {
  using link = createNetworkLink();
  if (!link) return context.skip('needs root and iproute2, to cut a link between two network namespaces');
  await using signalbox = await startService({ host: '0.0.0.0', pingIntervalMs: 1000 });
  await createChannel(signalbox, 'den');
  const { id, credential } = await mint(signalbox, { channels: ['den'] });
  const backend = signalbox.client();
  const presence = queueResults(
    backend,
    'subscription { presence(channel: "den") { change leaveReason member { token } } }',
  );
  await roundTrip(backend);
  const url = `http://${link.address}:${new URL(signalbox.url).port}/graphql`;
  const script = `fetch('${url}', { method: 'POST', body: JSON.stringify({ query: ${JSON.stringify(EVENTS)} }),
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: 'Bearer ${credential}' } })
    .then(async ({ body }) => { for await (const chunk of body); })`;
  const child = link.run([process.execPath, '-e', script]);
  try {
    expect(await presence.next()).toMatchObject({ presence: { change: 'JOINED' } });
    link.cut();
    expect(await presence.next()).toEqual({
      presence: { change: 'LEFT', leaveReason: 'CONNECTION_LOST', member: { token: id } },
    });
    expect(await isOnline(signalbox, id)).toBe(false);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});
