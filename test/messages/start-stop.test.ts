import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createChannel, mint } from '../support/backend.ts';
import { createFolder } from '../support/folder.ts';
import { EVENTS, subscribeResuming, MESSAGES } from '../support/resuming-subscription.ts';
import { launchProcess, startProcess } from '../support/process.ts';
import { numbers, publishTo, publishRequest } from '../support/publish.ts';
import { API_KEY } from '../support/service.ts';

test('a second process on the same data folder exits with an error message, and the first process continues', async () => {
  using folder = createFolder();
  await using first = await startProcess({ folder: folder.path });
  await using second = launchProcess({ folder: folder.path });
  expect(await second.exited).toBe(1);
  expect(second.stderr).toBe(
    `The data folder ${folder.path} is in use by another Signalbox process (PID ${first.pid}). Stop it, or set SIGNALBOX_DATA to another folder.\n`,
  );
  expect(await first.request(`{ viewer { kind } }`)).toEqual({ viewer: { kind: 'API_KEY' } });
});

test('startup fails with one error message per invalid setting', async () => {
  await using refused = launchProcess({
    env: { PORT: 'http', SIGNALBOX_LEASE_MS: '5', SIGNALBOX_GRAPHIQL: 'maybe', SIGNALBOX_API_KEY: 'secret' },
  });
  expect(await refused.exited).toBe(1);
  const lines = refused.stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toBe('PORT is “http”; it must be a whole number from 0 to 65535 (count).');
  for (const name of ['SIGNALBOX_LEASE_MS', 'SIGNALBOX_GRAPHIQL', 'SIGNALBOX_API_KEY'])
    expect(lines.some((line) => line.startsWith(name))).toBe(true);
});

test('startup fails with an error message without a stack trace when the port is in use', async () => {
  await using first = await startProcess();
  await using second = launchProcess({ env: { PORT: new URL(first.url).port } });
  expect(await second.exited).toBe(1);
  expect(second.stderr).toContain('Set PORT to another one');
  expect(second.stderr).not.toContain('    at ');
});

test('the first start generates and prints an API key when none is configured, and later starts do not print one', async () => {
  using folder = createFolder();
  const launch = { folder: folder.path, env: { SIGNALBOX_API_KEY: '' } };
  const whoAmI = `{ viewer { kind } }`;
  let key: string | undefined;
  {
    await using first = await startProcess(launch);
    key = /shown this once\): (key_\S+)/.exec(first.stderr)?.[1];
    expect(key).toBeDefined();
    expect(await first.request(whoAmI, {}, key)).toEqual({ viewer: { kind: 'API_KEY' } });
    first.kill('SIGTERM');
    expect(await first.exited).toBe(0);
  }
  await using second = await startProcess(launch);
  expect(await second.request(whoAmI, {}, key)).toEqual({ viewer: { kind: 'API_KEY' } });
  expect(second.stderr).not.toContain('key_');
});

test('SIGTERM closes live sockets with 1012, refuses new connections and exits with 0', async () => {
  await using running = await startProcess();
  const token = await mint(running);
  const client = running.client({ token: token.credential });
  const closed = new Promise<any>((resolve) => client.on('closed', resolve));
  const inbox = subscribeResuming(client, EVENTS);
  await inbox.until(({ events }) => events.length > 0);
  // A socket that stops reading delays the drain until the timeout.
  const stalled = new WebSocket(running.wsUrl, 'graphql-transport-ws');
  await once(stalled, 'open');
  stalled.send(JSON.stringify({ type: 'connection_init', payload: { apiKey: API_KEY } }));
  await once(stalled, 'message');
  stalled.pause();
  let hasExited = false;
  void running.exited.then(() => (hasExited = true));

  running.kill('SIGTERM');
  const { code, reason } = await closed;
  expect([code, reason]).toEqual([
    1012,
    'The service is restarting, or has lost its database. Resume with the last cursor.',
  ]);
  const refused = connect(Number(new URL(running.url).port), '127.0.0.1');
  const [error] = await once(refused, 'error');
  expect(error.code).toBe('ECONNREFUSED');
  expect(hasExited).toBe(false);
  expect(await running.exited).toBe(0);
  stalled.terminate();
});

test('a request in flight at SIGTERM is answered with connection: close', async () => {
  await using running = await startProcess();
  await createChannel(running, 'room');
  const client = running.client();
  const closed = new Promise((resolve) => client.on('closed', resolve));
  await subscribeResuming(client, EVENTS).until(({ events }) => events.length > 0);
  const body = JSON.stringify(publishRequest({ channel: 'room' }, 'in flight'));
  const inFlight = request(`${running.url}/graphql`, {
    method: 'POST',
    agent: new Agent({ keepAlive: true }),
    headers: {
      authorization: `Bearer ${API_KEY}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      // The service answers 100 Continue when it starts to process the request.
      expect: '100-continue',
    },
  });
  inFlight.flushHeaders();
  await once(inFlight, 'continue');

  running.kill('SIGTERM');
  await closed;
  inFlight.end(body);
  const [response] = (await once(inFlight, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  expect(response.headers.connection).toBe('close');
  expect(await json(response)).toMatchObject({ data: { said: { message: { data: 'in flight' } } } });
  expect(await running.exited).toBe(0);
});

test('messages acknowledged during a drain are in the log, and no acknowledgement is lost', async () => {
  using folder = createFolder();
  await using first = await startProcess({ folder: folder.path });
  await createChannel(first, 'room');
  const token = await mint(first, { channels: ['room'] });
  let acknowledged = 0;
  const answers = new Map<string, string>();
  const publishers = numbers(8).map(async (publisher) => {
    for (let number = 0; ; number++) {
      try {
        const { message } = await publishTo(first, { channel: 'room' }, `${publisher} ${number}`);
        answers.set(message.data, message.id);
      } catch {
        return;
      }
      if (++acknowledged === 200) first.kill('SIGTERM');
    }
  });
  await Promise.all(publishers);
  expect(await first.exited).toBe(0);

  await using second = await startProcess({ folder: folder.path });
  const replayed = subscribeResuming(second.client({ token: token.credential }), MESSAGES, {
    channel: 'room',
    since: token.cursor,
  });
  await publishTo(second, { channel: 'room' }, 'the last');
  await replayed.until(({ messages }) => messages.at(-1)?.data === 'the last');
  const kept = replayed.messages.slice(0, -1).map(({ data, id }) => [data, id]);
  // Publishes without a receipt were rejected before they were appended, so the log holds no other message.
  expect(kept.sort()).toEqual([...answers].sort());
});
