import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createChannel,
  mint,
  publish,
  revokeToken,
  subscribeToken,
  type MintedToken,
} from '../support/backend.ts';
import { hasPostgres, startPostgres, type PostgresServer } from '../support/postgres.ts';
import { startProcess, type RunningProcess } from '../support/process.ts';
import { codeOf } from '../support/projects.ts';
import { readMetric } from '../support/read-metric.ts';
import { queueResults } from '../support/result-queue.ts';
import { API_KEY } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

/** The shortest lease after which a killed node is gone from presence. */
const LEASE_MS = 3000;
/** A process needs a turn of its own for each step. */

let server: PostgresServer;
let url: string;
const nodes: RunningProcess[] = [];
let a: RunningProcess;
let b: RunningProcess;

async function startNode(): Promise<RunningProcess> {
  return startProcess({
    env: {
      SIGNALBOX_DATABASE_URL: url,
      SIGNALBOX_MASTER_KEY: 'the-master-key-of-these-test-processes',
      SIGNALBOX_API_KEY: API_KEY,
      SIGNALBOX_LEASE_MS: String(LEASE_MS),
    },
  });
}

beforeAll(async () => {
  if (!hasPostgres) return;
  server = await startPostgres();
  url = await server.createDatabase();
  [a, b] = await Promise.all([startNode(), startNode()]);
  nodes.push(a, b);
  await createChannel(a, 'room');
});

afterAll(async () => {
  if (!hasPostgres) return;
  for (const node of nodes) {
    node.kill('SIGCONT');
    await node[Symbol.asyncDispose]();
  }
  await server[Symbol.asyncDispose]();
});

/** A client of a node whose token is in the channel, with all that it received and how its connection closed. */
async function connect(node: RunningProcess, { credential }: MintedToken) {
  const received: string[] = [];
  let isClosed: (code: number) => void = () => undefined;
  const closed = new Promise<number>((resolve) => (isClosed = resolve));
  let isConnected: () => void = () => undefined;
  const connected = new Promise<void>((resolve) => (isConnected = resolve));
  const client = node.client(
    { token: credential },
    {
      on: { closed: (event) => isClosed((event as { code: number }).code) },
    },
  );
  client.subscribe<{ events: { __typename: string; message?: { event: string } } }>(
    { query: 'subscription { events { __typename ... on ChannelMessage { message { event } } } }' },
    {
      next({ data }) {
        if (data?.events.__typename === 'Connected') isConnected();
        if (data?.events.message) received.push(data.events.message.event);
      },
      error: () => undefined,
      complete: () => undefined,
    },
  );
  await connected;
  return { received, closed };
}

async function mintMember(identity: string): Promise<MintedToken> {
  const token = await mint(a, { identity });
  await subscribeToken(a, 'room', token.id);
  return token;
}

async function timeRevocation(tokenId: string): Promise<number> {
  const startedAt = performance.now();
  await revokeToken(a, tokenId);
  return performance.now() - startedAt;
}

const isOnline = async (node: RunningProcess, { id }: MintedToken) =>
  (await node.request('query ($id: ID!) { isOnline(token: $id) }', { id })).isOnline as boolean;

test.skipIf(!hasPostgres)(
  'a revocation on one node closes connections on the other, and counts them, before it returns',
  async () => {
    const token = await mintMember('ada');
    const other = await mintMember('eve');
    const [member, stays] = [await connect(b, token), await connect(b, other)];
    expect(await isOnline(a, token)).toBe(true);
    const { revokeTokens } = await a.request('mutation { revokeTokens(identity: "ada") { connections } }');
    expect(revokeTokens.connections).toBe(1);
    await publish(a, 'room', 'after');
    expect(await member.closed).toBe(4403);
    await expect.poll(() => stays.received).toEqual(['after']);
    expect(member.received).toEqual([]);
    await expect.poll(() => isOnline(a, token)).toBe(false);
  },
);

test.skipIf(!hasPostgres)(
  'connections stay, are online again and receive, after PostgreSQL crashed',
  async () => {
    const token = await mintMember('bob');
    const member = await connect(b, token);
    await server.crash();
    await expect.poll(() => isOnline(a, token).catch(() => undefined)).toBe(true);
    await expect.poll(() => publish(a, 'room', 'again').catch(() => undefined)).toBeDefined();
    await expect.poll(() => member.received).toContain('again');
  },
);

test.skipIf(!hasPostgres)(
  'a node that is paused does not hold up a revocation, and delivers nothing after it when it continues',
  async () => {
    const token = await mintMember('carol');
    const member = await connect(b, token);
    await publish(a, 'room', 'before');
    await expect.poll(() => member.received).toEqual(['before']);
    const fencesBefore = await readMetric(a, 'signalbox_fences_total');
    // What a revocation takes anyway is the machine's part.
    const usual = await timeRevocation((await mintMember('nobody')).id);
    b.kill('SIGSTOP');
    try {
      expect(await timeRevocation(token.id)).toBeLessThan(2500 + usual);
      // It did not wait for the end of the lease.
      expect(await readMetric(a, 'signalbox_fences_total')).toBe(fencesBefore + 1);
      await publish(a, 'room', 'after');
    } finally {
      b.kill('SIGCONT');
    }
    expect(await member.closed).toBe(4403);
    expect(member.received).toEqual(['before']);
    // The node continues under a new registration.
    const next = await connect(b, await mintMember('dan'));
    await expect.poll(() => publish(b, 'room', 'next').catch(() => undefined)).toBeDefined();
    await expect.poll(() => next.received).toContain('next');
  },
);

test.skipIf(!hasPostgres)(
  'a request with two mutations that arrives while its node is paused makes both when it continues',
  async () => {
    const { id } = await mintMember('henry');
    b.kill('SIGSTOP');
    let answered: Promise<any>;
    try {
      answered = b.request(
        `mutation ($id: ID!) {
          one: updateToken(id: $id, input: { connectionData: "one" }) { connectionData }
          two: updateToken(id: $id, input: { connectionData: "two" }) { connectionData }
        }`,
        { id },
      );
      // It takes longer than a node may go on without a look at the database.
      await timeRevocation((await mintMember('nobody')).id);
    } finally {
      b.kill('SIGCONT');
    }
    expect(await answered).toEqual({ one: { connectionData: 'one' }, two: { connectionData: 'two' } });
  },
);

test.skipIf(!hasPostgres)(
  'what a node was reading for a token when it was paused, and what the token was about to publish, is not sent after the token was revoked',
  async () => {
    const token = await mintMember('grace');
    const other = await connect(a, await mintMember('heidi'));
    await publish(a, 'room', 'secret');
    const history = 'channel { messages(last: 1) { nodes { event } } }';
    const query = `subscription { events { __typename ... on ChannelStateUpdated { ${history} } } }`;
    const inbox = queueResults(b.client({ token: token.credential }), query);
    await inbox.next();
    const stream = queueResults(sseClient(b, token.credential), query);
    await stream.next();
    const database = new pg.Client({ connectionString: url });
    await database.connect();
    await database.query('BEGIN; LOCK TABLE messages, lanes IN ACCESS EXCLUSIVE MODE');
    const waiting = async (statement: string) =>
      (
        await server.query(
          url,
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '${statement}%'`,
        )
      ).length;
    const answer = b.ask(`{ ${history.replace('channel', 'channel(id: "room")')} }`, {}, token.credential);
    const publishOnB = (event: string, ephemeral: boolean) =>
      b.ask(
        'mutation ($e: String!, $n: Boolean) { publishMessage(channel: "room", event: $e, ephemeral: $n) { connections } }',
        { e: event, n: ephemeral },
        token.credential,
      );
    const inFlight = publishOnB('in-flight', false);
    await expect.poll(() => waiting('SELECT append_messages')).toBe(1);
    const ephemeral = publishOnB('ephemeral', true);
    await a.request('mutation { setChannelState(channel: "room", state: { n: 1 }) { id } }');
    await expect.poll(() => waiting('%SELECT json_agg(')).toBe(3);
    b.kill('SIGSTOP');
    try {
      // The answers of the database wait in the sockets of the node.
      await database.query('COMMIT');
      await expect.poll(() => waiting('SELECT append_messages')).toBe(0);
      await expect.poll(() => waiting('%SELECT json_agg(')).toBe(0);
      await revokeToken(a, token.id);
    } finally {
      b.kill('SIGCONT');
    }
    const REFUSED = ['TOKEN_REVOKED', 'UNAVAILABLE'];
    expect(REFUSED).toContain(codeOf(await answer));
    expect(REFUSED).toContain(codeOf(await ephemeral));
    expect([1012, 4403]).toContain(((await inbox.ended) as { code: number }).code);
    expect(JSON.stringify(inbox.waiting)).not.toContain('ChannelStateUpdated');
    await stream.ended;
    expect(JSON.stringify(stream.waiting)).not.toContain('ChannelStateUpdated');
    await inFlight;
    await publish(a, 'room', 'last');
    await expect.poll(() => other.received).toContain('last');
    expect(other.received).not.toContain('ephemeral');
    await database.end();
  },
);

test.skipIf(!hasPostgres)(
  'connections of a killed node are offline after its lease, and those of a stopped one at once',
  async () => {
    const token = await mintMember('frank');
    await connect(b, token);
    expect(await isOnline(a, token)).toBe(true);
    b.kill('SIGKILL');
    await expect.poll(() => isOnline(a, token)).toBe(false);
  },
);
