import { type Endpoint } from '../contender.ts';
import { type Job, type Measurement, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { Backend } from '../load/backend.ts';
import { createFixture, subscriberSpecOf } from '../load/fixture.ts';
import { startMeter, untilIdle } from '../load/meter.ts';
import { Pipeline } from '../load/pipeline.ts';
import { stream } from '../load/stream.ts';
import { SubscriberGroup } from '../load/subscriber-group.ts';
import { cpuMsOf } from '../process-usage.ts';
import { percentile } from '../statistics.ts';
import { measureStream, publishSentinel } from './fan-out.ts';

const IN_FLIGHT = 256;
const CONNECTIONS_PER_TOKEN = 2;
const REVOKE = 'mutation ($id: ID!) { revokeToken(id: $id) { id } }';
const CREATE_PROJECT = 'mutation { createProject(input: {}) { secret } }';

/**
 * Several nodes on one database; SQLite is measured as one node. The variant is the number of projects that share the
 * publishes. Each of the other parts is measured once, with the first variant, in a project of its own.
 */
export async function cluster({ endpoint, workload, parts, variant }: Job): Promise<Outcome> {
  const nodes = nodesOf(endpoint);
  const first = nodes[0]!;
  const last = nodes.at(-1)!;
  const outcome: Record<string, Measurement> = {};
  const isFirst = variant === workload.projectCounts[0];
  const measures: Record<string, () => Promise<Measurement | undefined>> = {
    'cluster-publish': () => measurePublishes(nodes, variant, workload),
    'cluster-same': () => measureFanOut(first, first, 1, workload),
    'cluster-other': async () => (nodes.length > 1 ? measureFanOut(first, last, 1, workload) : undefined),
    'cluster-burst': () => measureFanOut(first, last, 16, workload),
    'cluster-revocation': () => measureRevocation(nodes, workload),
  };
  for (const part of parts) {
    if (!isFirst && part !== 'cluster-publish') continue;
    const measurement = await measures[part]?.();
    if (measurement) outcome[part] = measurement;
  }
  return outcome;
}

function nodesOf(endpoint: Endpoint): Endpoint[] {
  return (endpoint.nodes ?? [endpoint]).map(({ port, pid }) => ({ ...endpoint, port, pid }));
}

/** The API keys of new projects. */
async function createProjects(endpoint: Endpoint, count: number): Promise<string[]> {
  using backend = await Backend.open(endpoint);
  const secrets: string[] = [];
  for (let index = 0; index < count; index++)
    secrets.push((await backend.request(CREATE_PROJECT)).createProject.secret);
  return secrets;
}

/** Publishes to all nodes and projects at once. */
async function measurePublishes(
  nodes: readonly Endpoint[],
  projects: number,
  { publishWarmUpMs, measureMs }: Job['workload'],
): Promise<Measurement> {
  const keys = await createProjects(nodes[0]!, projects);
  const pipelines: Pipeline[] = [];
  for (const apiKey of keys) {
    using backend = await Backend.open({ ...nodes[0]!, apiKey });
    await backend.createChannels(['bench']);
    for (const node of nodes) pipelines.push(await Pipeline.open({ ...node, apiKey }));
  }
  const inFlight = Math.max(1, Math.floor(IN_FLIGHT / pipelines.length));
  const run = async (durationMs: number) =>
    (await Promise.all(pipelines.map((pipeline) => pipeline.run({ inFlight, durationMs })))).flat();
  await run(publishWarmUpMs);
  const cpuOf = () => nodes.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0);
  const meter = startMeter(nodes[0]!.pid);
  const before = cpuOf();
  const latenciesMs = await run(measureMs);
  const { wallMs, generatorShare } = meter.end();
  for (const pipeline of pipelines) pipeline[Symbol.dispose]();
  const acknowledged = latenciesMs.length;
  return measurementOf(
    {
      publishesPerSecond: (acknowledged * 1000) / wallMs,
      cpuUsPerPublish: ((cpuOf() - before) * 1000) / acknowledged,
      acknowledged,
      generatorShare,
    },
    { '': latenciesMs },
  );
}

/** The CPU time is that of the node of the subscribers. */
async function measureFanOut(
  publishing: Endpoint,
  subscribing: Endpoint,
  inFlight: number,
  { subscribers, warmUpMs, measureMs }: Job['workload'],
): Promise<Measurement> {
  const [apiKey = ''] = await createProjects(publishing, 1);
  await using fixture = await createFixture({ ...subscribing, apiKey }, subscribers, {
    ...publishing,
    apiKey,
  });
  await stream(fixture, { inFlight, durationMs: warmUpMs });
  const measurement = await measureStream(fixture, subscribing.pid, { inFlight, durationMs: measureMs });
  await publishSentinel(fixture);
  return measurement;
}

/** Every token has two connections to each node. The tokens are revoked one after another, on the first node. */
async function measureRevocation(
  nodes: readonly Endpoint[],
  { subscribers, revokedTokens }: Job['workload'],
): Promise<Measurement> {
  const [apiKey = ''] = await createProjects(nodes[0]!, 1);
  using backend = await Backend.open({ ...nodes[0]!, apiKey });
  await backend.createChannels(['bench']);
  const tokens = await backend.mintTokens(Math.max(revokedTokens, subscribers / CONNECTIONS_PER_TOKEN));
  const latenciesOf = nodes.map((): number[] => []);
  let startedAt = 0;
  let closed = 0;
  const groups: SubscriberGroup[] = [];
  for (const [index, node] of nodes.entries()) {
    const group = new SubscriberGroup();
    groups.push(group);
    await group.connect(node, tokens.length * CONNECTIONS_PER_TOKEN, (n) =>
      subscriberSpecOf(node, tokens[n % tokens.length]),
    );
    group.onSubscriberClosed = (_subscriber, code) => {
      if (code !== 4403) group.fail(`A connection was closed with ${code}, not 4403.`);
      latenciesOf[index]!.push(performance.now() - startedAt);
      closed++;
    };
  }
  for (const { pid } of nodes) await untilIdle(pid);
  const meter = startMeter(nodes[0]!.pid);
  const perRevocation = CONNECTIONS_PER_TOKEN * nodes.length;
  for (const [index, { id }] of tokens.slice(0, revokedTokens).entries()) {
    startedAt = performance.now();
    await backend.request(REVOKE, { id });
    const onEach = (index + 1) * CONNECTIONS_PER_TOKEN;
    for (const [node, group] of groups.entries())
      await group.until(
        () => latenciesOf[node]!.length === onEach,
        () => `${closed} of ${(index + 1) * perRevocation} connections were closed.`,
      );
  }
  const { wallMs, generatorShare } = meter.end();
  for (const group of groups) group[Symbol.dispose]();
  const latenciesMs = latenciesOf.flat();
  return measurementOf(
    {
      lastMs: Math.max(...latenciesMs),
      worstNodeP99Ms: Math.max(...latenciesOf.map((of) => percentile(of, 0.99))),
      revocationsPerSecond: (revokedTokens * 1000) / wallMs,
      generatorShare,
    },
    { '': latenciesMs },
  );
}
