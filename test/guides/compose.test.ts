import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createChannel, mint, publish } from '../support/backend.ts';
import { read } from '../support/documents.ts';
import { findFreePort } from '../support/free-port.ts';
import { requireNginx, startNginx } from '../support/nginx.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { startProcess, type RunningProcess } from '../support/process.ts';
import { readMetric } from '../support/read-metric.ts';
import { EVENTS, subscribeResuming } from '../support/resuming-subscription.ts';
import { API_KEY, createServiceClient } from '../support/service.ts';

interface ComposeNode {
  environment: Record<string, string>;
  networks: { inside: { ipv4_address: string } };
}

const { services } = parse(read('compose.yaml'), { merge: true }) as {
  services: Record<'node-a' | 'node-b', ComposeNode> & Record<'nginx' | 'postgres', Record<string, unknown>>;
};
const site = read('deployment/nginx.conf');
const NODES = [services['node-a'], services['node-b']];

const VALUES: Record<string, string> = {
  POSTGRES_PASSWORD: 'sesame',
  SIGNALBOX_MASTER_KEY: 'the-master-key-of-these-test-processes',
  SIGNALBOX_API_KEY: API_KEY,
};

/** `${NAME}`, `${NAME:-default}` and `${NAME:?message}`, as Compose replaces them. */
function substitute(text: string): string {
  return text.replaceAll(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_, name: string, kind: string | undefined, rest: string | undefined) => {
      const value = VALUES[name] ?? (kind === '-' ? rest : undefined);
      if (value === undefined) throw new Error(`compose.yaml needs ${name}: ${rest}`);
      return value;
    },
  );
}

function environmentOf({ environment }: ComposeNode): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, substitute(value)]));
}

test('compose.yaml mounts the configuration of nginx that names its nodes, and waits for PostgreSQL', () => {
  const servers = [...site.matchAll(/^ +server (\S+) /gm)].map(([, address]) => address);
  expect(servers).toEqual(NODES.map(({ networks }) => `${networks.inside.ipv4_address}:4000`));
  expect(services.nginx['volumes']).toEqual(['./deployment/nginx.conf:/etc/nginx/conf.d/default.conf:ro']);
  for (const node of NODES)
    expect(node).toMatchObject({ depends_on: { postgres: { condition: 'service_healthy' } } });
  expect(environmentOf(NODES[0]!)).toEqual(environmentOf(NODES[1]!));
  expect(environmentOf(NODES[0]!)['SIGNALBOX_DATABASE_URL']).toBe(
    'postgres://signalbox:sesame@postgres:5432/signalbox',
  );
});

test('behind nginx and on the nodes of compose.yaml, a client continues when its node is killed, and misses nothing', async (context) => {
  requireNginx(context);
  requirePostgres(context);
  const url = await (await sharedPostgres()).createDatabase();
  const start = (node: ComposeNode) =>
    startProcess({
      env: { ...environmentOf(node), SIGNALBOX_DATABASE_URL: url, HOST: '127.0.0.1', PORT: '0' },
    });
  const [a, b] = await Promise.all([start(NODES[0]!), start(NODES[1]!)]);
  await using _a = a;
  await using _b = b;
  const port = await findFreePort();
  const addresses = [a, b].map((node) => new URL(node.url).host);
  const configuration = NODES.reduce(
    (text, { networks }, index) => text.replace(`${networks.inside.ipv4_address}:4000`, addresses[index]!),
    site.replace('listen 8080', `listen 127.0.0.1:${port}`),
  );
  await using _nginx = await startNginx(configuration, port);
  await using outside = createServiceClient(`http://127.0.0.1:${port}`);
  for (const path of ['/metrics', '/ready', '/console'])
    expect((await fetch(`${outside.url}${path}`)).status, path).toBe(404);

  await createChannel(outside, 'lobby');
  const token = await mint(outside, { channels: ['lobby'] });
  const client = outside.client(
    { token: token.credential },
    {
      retryAttempts: 1000,
      retryWait: () => new Promise((resolve) => setTimeout(resolve, 20)),
      shouldRetry: () => true,
    },
  );
  const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
  const connections = () => inbox.events.filter(({ __typename }) => __typename === 'Connected').length;
  await inbox.until(() => connections() === 1);
  await expectStream(outside.url, token.credential, () => publish(outside, 'lobby', 'streamed'));

  const countOf = (node: RunningProcess) =>
    readMetric(node, String.raw`signalbox_connections\{transport="websocket"\}`);
  await publish(outside, 'lobby', 'before');
  await inbox.until(({ messages }) => messages.at(-1)?.event === 'before');
  const [home, other] = (await countOf(a)) === 1 ? [a, b] : [b, a];
  expect(await countOf(home)).toBe(1);
  home.kill('SIGKILL');
  await home.exited;
  // No repeat is needed: nginx sends what was not sent yet to the node that is left.
  await publish(outside, 'lobby', 'meanwhile');
  await inbox.until(() => connections() === 2);
  expect(await countOf(other)).toBe(1);
  await publish(outside, 'lobby', 'after');
  await inbox.until(({ messages }) => messages.at(-1)?.event === 'after');
  const received = inbox.messages.map(({ event }) => event);
  expect(received.filter((event) => event !== 'streamed')).toEqual(['before', 'meanwhile', 'after']);
});

/** Expects that an event stream passes a message on at once. */
async function expectStream(url: string, credential: string, publishOne: () => Promise<unknown>) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${credential}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ query: 'subscription { messages(channel: "lobby") { event } }' }),
  });
  expect(response.status).toBe(200);
  const progress = { isDelivered: false };
  const reading = (async () => {
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += new TextDecoder().decode(chunk);
      if (text.includes('"streamed"')) return;
    }
    throw new Error(`The stream ended: ${text}`);
  })().finally(() => (progress.isDelivered = true));
  // The first ones may be published before the stream follows the channel.
  while (!progress.isDelivered) await publishOne();
  await reading;
}
