import { setTimeout as delay } from 'node:timers/promises';
import { createChannel, mint, subscribeToken } from '../support/backend.ts';
import { startPostgres } from '../support/postgres.ts';
import { startCluster } from './cluster.ts';
import { findViolations } from './history.ts';
import { startNemesis, type Fault } from './nemesis.ts';
import { startPublisher } from './publisher.ts';
import { createRandom } from './random.ts';
import { buildSabotaged, type Sabotage } from './sabotage.ts';
import { startSubscriber } from './subscriber.ts';
import { startVisitor } from './visitor.ts';

export interface TortureOptions {
  seed: number;
  /** The time during which faults happen, in milliseconds. */
  durationMs: number;
  nodes: number;
  /** See NemesisOptions. */
  standby?: 'synchronous' | 'asynchronous' | undefined;
  faults?: readonly Fault[] | undefined;
  longestStopMs: number;
  longestQuietMs: number;
  /** Breaks the service on purpose, to show that the checker finds it. */
  sabotage?: Sabotage | undefined;
  report: (line: string) => void;
}

export interface TortureResult {
  violations: string[];
  acknowledged: number;
  retries: number;
  delivered: number;
  connects: number;
  /** Tokens that were members of a channel for a moment. */
  visits: number;
  faults: Readonly<Record<Fault, number>>;
}

const CHANNELS = ['north', 'south'];
const PUBLISHERS_PER_CHANNEL = 2;
const VISITORS_PER_CHANNEL = 2;
/** How long messages are published once all faults are repaired, in milliseconds: they must arrive at each node by themselves. */
const QUIET_MS = 1500;
/** How long the last messages may take once all faults are repaired, in milliseconds. */
const SETTLE_MS = 30_000;

const START = `mutation ($channel: ID!) {
  publishMessage(channel: $channel, event: "start") { message { cursor ordinal } }
}`;

/** Runs nodes, clients and faults for a while, and then compares what was acknowledged with what was received. */
export async function torture(options: TortureOptions): Promise<TortureResult> {
  const { seed, durationMs, nodes, standby, faults, longestStopMs, longestQuietMs, sabotage, report } =
    options;
  const random = createRandom(seed);
  await using postgres = await startPostgres(['-c', 'synchronous_commit=on']);
  using build = sabotage && buildSabotaged(sabotage);
  await using cluster = await startCluster(postgres, { count: nodes, main: build?.main, failover: standby });
  for (const statement of sabotage?.statements ?? []) await postgres.query(cluster.databaseUrl, statement);
  const backend = cluster.nodes[0]?.process;
  if (!backend) throw new Error('The first node did not start.');

  const start = new Map<string, { cursor: string; ordinal: number }>();
  for (const channel of CHANNELS) await createChannel(backend, channel);
  const member = await mint(backend, { identity: 'member' });
  for (const channel of CHANNELS) await subscribeToken(backend, channel, member.id);
  for (const channel of CHANNELS)
    start.set(channel, (await backend.request(START, { channel })).publishMessage.message);

  const subscribers = [
    ...CHANNELS.map((channel) => {
      const first = start.get(channel) ?? { cursor: '', ordinal: 0 };
      return startSubscriber({
        name: `subscriber of ${channel}`,
        cluster,
        random: random.fork(),
        start: new Map([[channel, first]]),
        since: first.cursor,
      });
    }),
    ...[1, 2].map((number) =>
      startSubscriber({
        name: `member ${number}`,
        cluster,
        random: random.fork(),
        start,
        since: [...start.values()].at(-1)?.cursor ?? '',
        credential: member.credential,
      }),
    ),
  ];
  const publishers = CHANNELS.flatMap((channel) =>
    Array.from({ length: PUBLISHERS_PER_CHANNEL }, (_, index) =>
      startPublisher(`${channel}-${index + 1}`, channel, cluster, random.fork()),
    ),
  );
  const visitors = CHANNELS.flatMap((channel) =>
    Array.from({ length: VISITORS_PER_CHANNEL }, (_, index) =>
      startVisitor({ name: `visitor ${index + 1} of ${channel}`, channel, cluster, random: random.fork() }),
    ),
  );
  const nemesis = startNemesis({
    cluster,
    postgres,
    random: random.fork(),
    standby,
    faults,
    longestStopMs,
    longestQuietMs,
    report,
  });

  await delay(durationMs);
  await nemesis.stop();
  for (const subscriber of subscribers) subscriber.settle();
  await delay(QUIET_MS);
  await Promise.all(publishers.map((publisher) => publisher.stop()));

  const published = new Map(publishers.flatMap((publisher) => [...publisher.published]));
  const acknowledged = [...published].flatMap(([data, { channel, acknowledged: receipt }]) =>
    receipt ? [{ data, channel }] : [],
  );
  const isComplete = () =>
    subscribers.every(({ channels, received }) => {
      const seen = new Set(received.map(({ data }) => data));
      return acknowledged.every(({ data, channel }) => !channels.includes(channel) || seen.has(data));
    });
  for (const deadline = performance.now() + SETTLE_MS; !isComplete() && performance.now() < deadline;)
    await delay(200);
  for (const subscriber of subscribers) subscriber.stop();
  await Promise.all(visitors.map((visitor) => visitor.stop()));
  const visits = visitors.flatMap((visitor) => visitor.visits);

  return {
    violations: [
      ...publishers.flatMap(({ problems }) => problems),
      ...findViolations({ published, subscribers, visits, losses: nemesis.losses }),
    ],
    acknowledged: acknowledged.length,
    retries: publishers.reduce((sum, { retries }) => sum + retries, 0),
    delivered: subscribers.reduce((sum, { received }) => sum + received.length, 0),
    connects: subscribers.reduce((sum, { connects }) => sum + connects, 0),
    visits: visits.length,
    faults: nemesis.counts,
  };
}
