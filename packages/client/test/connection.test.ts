import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { API_KEY, startService } from '../../../test/support/service.ts';
import { startProcess } from '../../../test/support/process.ts';
import { createFolder } from '../../../test/support/folder.ts';
import { SignedOut, type Status } from '../src/index.ts';
import { connectClient, createChannel, createMember, eventually } from './support/client.ts';

const DISCONNECT = 'mutation { disconnect(identity: "ada", reason: "enough") }';

test('renews the credential on the live connection before it expires, one call at a time', async () => {
  await using service = await startService();
  await createChannel(service);
  const { token, credential } = await createMember(service, 'ada', ['lobby'], { expiresIn: 2 });
  const reasons: string[] = [];
  let running = 0;
  await using client = connectClient({
    url: service.url,
    async credential(reason) {
      reasons.push(reason);
      expect(running++).toBe(0);
      if (reason === 'start') return (running--, credential);
      const data = await service.request(
        'mutation ($token: ID!) { createCredential(token: $token, expiresIn: 3) { credential } }',
        { token },
      );
      running--;
      return { credential: data.createCredential.credential };
    },
  });
  const states: string[] = [];
  client.on('status', ({ state }) => states.push(state));
  client.connect();
  await eventually(() => reasons.length >= 4);
  expect(new Set(reasons.slice(1))).toEqual(new Set(['expiring']));
  expect(states.slice(0, 4)).toEqual(['connecting', 'connected', 'renewing', 'connected']);
  expect(states).not.toContain('waiting');
});

test('asks for another credential after a revocation, and ends when the function throws SignedOut', async () => {
  await using service = await startService();
  await createChannel(service);
  const [first, second] = [await createMember(service, 'ada'), await createMember(service, 'ada')];
  const reasons: string[] = [];
  await using client = connectClient({
    url: service.url,
    credential(reason) {
      reasons.push(reason);
      if (reasons.length === 3) throw new SignedOut();
      return reasons.length === 1 ? first.credential : second.credential;
    },
  });
  client.connect();
  await eventually(() => client.viewer);
  await service.request('mutation ($id: ID!) { revokeToken(id: $id) { id } }', { id: first.token });
  await eventually(() => client.viewer?.token === second.token);
  await service.request('mutation ($id: ID!) { revokeToken(id: $id) { id } }', { id: second.token });
  const ended = await eventually(() => client.status.state === 'ended' && client.status);
  expect(reasons).toEqual(['start', 'revoked', 'revoked']);
  expect(ended).toMatchObject({ reason: 'signedOut', message: 'You are signed out.' });
  const late = client.channel('lobby').publish('message', { text: 'late' });
  await expect(late).rejects.toMatchObject({ code: 'ENDED' });
});

test('calls a credential function that fails again, with backoff, until it answers', async () => {
  await using service = await startService();
  await createChannel(service);
  const { credential } = await createMember(service, 'ada');
  let calls = 0;
  const statuses: Status[] = [];
  await using client = connectClient({
    url: service.url,
    credential: () => (++calls <= 3 ? Promise.reject(new Error('503')) : credential),
  });
  client.on('status', (status) => statuses.push(status));
  await client.channel('lobby').publish('message', { text: 'patient' });
  expect(calls).toBe(4);
  expect(statuses.filter(({ state }) => state === 'waiting')).toHaveLength(3);
  expect(statuses.find(({ state }) => state === 'waiting')).toMatchObject({ error: { message: '503' } });
});

test.each([
  [
    'a moderator disconnects it',
    'disconnected',
    (run: (query: string) => Promise<unknown>) => run(DISCONNECT),
  ],
] as const)('ends when %s, and connects again when the application asks', async (_, reason, act) => {
  await using service = await startService();
  await createChannel(service);
  const { credential } = await createMember(service, 'ada');
  await using client = connectClient({ url: service.url, credential });
  client.connect();
  await eventually(() => client.viewer);
  await act((query) => service.request(query));
  await eventually(() => client.status.state === 'ended');
  expect(client.status.reason).toBe(reason);
  client.connect();
  await client.channel('lobby').publish('message', { text: 'back' });
  expect(client.status.state).toBe('connected');
});

test('ends with `unauthenticated` when the only credential is not valid', async () => {
  await using service = await startService();
  await using client = connectClient({ url: service.url, credential: 'eyJ.not.valid' });
  client.connect();
  await eventually(() => client.status.state === 'ended');
  expect(client.status).toMatchObject({ reason: 'unauthenticated', error: { code: 'UNAUTHENTICATED' } });
});

test('publishes what was queued while the service was killed, once, after it is back', async () => {
  using folder = createFolder();
  {
    await using service = await startProcess({ folder: folder.path });
    const { url } = service;
    await createChannel(service);
    const { credential } = await createMember(service, 'ada');
    await using client = connectClient({ url, credential });
    const seen: string[] = [];
    client.channel('lobby').on('message', ({ data }) => seen.push(data.text));
    await client.channel('lobby').publish('message', { text: '0' });
    service.kill('SIGKILL');
    await eventually(() => client.status.state === 'waiting');
    const published = ['1', '2', '3'].map((text) => client.channel('lobby').publish('message', { text }));
    await expect(
      client.channel('lobby').publish('notice', { level: 1 }, { ephemeral: true }),
    ).rejects.toMatchObject({ code: 'OFFLINE' });
    const env = { PORT: new URL(url).port, SIGNALBOX_API_KEY: API_KEY };
    await using restarted = await startProcess({ folder: folder.path, env });
    await Promise.all(published);
    await eventually(() => seen.length >= 4);
    expect(seen).toEqual(['0', '1', '2', '3']);
    const { channel } = await restarted.request('{ channel(id: "lobby") { messages { nodes { data } } } }');
    expect(channel.messages.nodes.map(({ data }: any) => data.text)).toEqual(seen);
  }
});

test('detects within 5 s after a missed ping that the network drops all packets, and resumes', async () => {
  await using service = await startService({ pingIntervalMs: 200 });
  await createChannel(service);
  let isSwallowing = false;
  const sockets: Socket[] = [];
  const hole = createServer((socket) => {
    const upstream = connect(Number(new URL(service.url).port), '127.0.0.1');
    const isBlack = () => isSwallowing && sockets.indexOf(socket) < blackUntil;
    sockets.push(socket);
    socket.on('data', (chunk) => isBlack() || upstream.write(chunk));
    upstream.on('data', (chunk) => isBlack() || socket.write(chunk));
    for (const end of [socket, upstream])
      end.on('error', () => undefined).on('close', () => isBlack() || socket.destroy());
  }).listen(0, '127.0.0.1');
  let blackUntil = 0;
  await once(hole, 'listening');
  const { port } = hole.address() as { port: number };
  const { credential } = await createMember(service, 'ada');
  await using client = connectClient({ url: `http://127.0.0.1:${port}`, credential });
  const seen: string[] = [];
  client.channel('lobby').on('message', ({ data }) => seen.push(data.text));
  await client.channel('lobby').publish('message', { text: 'before' });
  blackUntil = sockets.length;
  isSwallowing = true;
  const published = client.channel('lobby').publish('message', { text: 'during' });
  await service.request(
    'mutation { publishMessage(channel: "lobby", event: "message", data: { text: "other" }) { connections } }',
  );
  await eventually(() => client.status.state === 'waiting');
  expect(client.status.reason).toBe('lost');
  await published;
  await eventually(() => seen.length >= 3);
  expect(seen).toEqual(['before', 'other', 'during']);
  hole.close();
  for (const socket of sockets) socket.destroy();
});
