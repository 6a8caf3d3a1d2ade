import { setTimeout as delay } from 'node:timers/promises';
import { createChannel, mint, subscribeToken } from '../support/backend.ts';
import { startPostgres } from '../support/postgres.ts';
import { startPublisher, startSubscriber } from './clients.ts';
import { startCluster } from './cluster.ts';
import { findViolations } from './history.ts';
import { startNemesis, type Fault } from './nemesis.ts';
import { createRandom } from './random.ts';

export interface TortureOptions {
  seed: number;
  /** The time during which faults happen, in milliseconds. */
  durationMs: number;
  nodes: number;
  /** See NemesisOptions. */
  longestStopMs: number;
  longestQuietMs: number;
  report: (line: string) => void;
}

export interface TortureResult {
  violations: string[];
  acknowledged: number;
  retries: number;
  delivered: number;
  connects: number;
  faults: Readonly<Record<Fault, number>>;
}

const CHANNELS = ['north', 'south'];
const PUBLISHERS_PER_CHANNEL = 2;
/** How long the last messages may take once all faults are repaired, in milliseconds. */
const SETTLE_MS = 30_000;

const START = `mutation ($channel: ID!) {
  publishMessage(channel: $channel, event: "start") { message { cursor sequence } }
}`;

/** Runs nodes, clients and faults for a while, and then compares what was acknowledged with what was received. */
export async function torture(options: TortureOptions): Promise<TortureResult> {
  const { seed, durationMs, nodes, longestStopMs, longestQuietMs, report } = options;
  const random = createRandom(seed);
  await using postgres = await startPostgres(['-c', 'synchronous_commit=on']);
  await using cluster = await startCluster(postgres, nodes);
  const backend = cluster.nodes[0]?.process;
  if (!backend) throw new Error('The first node did not start.');

  const start = new Map<string, { cursor: string; sequence: number }>();
  for (const channel of CHANNELS) await createChannel(backend, channel);
  const member = await mint(backend, { identity: 'member' });
  for (const channel of CHANNELS) await subscribeToken(backend, channel, member.id);
  for (const channel of CHANNELS)
    start.set(channel, (await backend.request(START, { channel })).publishMessage.message);

  const subscribers = [
    ...CHANNELS.map((channel) => {
      const first = start.get(channel) ?? { cursor: '', sequence: 0 };
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
    Array.from({ length: PUBLISHERS_PER_CHANNEL }, (_, index) => ({
      channel,
      publisher: startPublisher(`${channel}-${index + 1}`, channel, cluster, random.fork()),
    })),
  );
  const nemesis = startNemesis({
    cluster,
    postgres,
    random: random.fork(),
    longestStopMs,
    longestQuietMs,
    report,
  });

  await delay(durationMs);
  await nemesis.stop();
  await Promise.all(publishers.map(({ publisher }) => publisher.stop()));

  const acknowledged = new Map(
    CHANNELS.map((channel) => [
      channel,
      new Map(
        publishers.filter((one) => one.channel === channel).flatMap((one) => [...one.publisher.acknowledged]),
      ),
    ]),
  );
  const expected = (channels: readonly string[]) =>
    channels.flatMap((channel) => [...(acknowledged.get(channel)?.keys() ?? [])]);
  const isComplete = () =>
    subscribers.every(({ channels, received }) => {
      const seen = new Set(received.map(({ data }) => data));
      return expected(channels).every((data) => seen.has(data));
    });
  for (const deadline = performance.now() + SETTLE_MS; !isComplete() && performance.now() < deadline;)
    await delay(200);
  for (const subscriber of subscribers) subscriber.stop();

  return {
    violations: [
      ...publishers.flatMap(({ publisher }) => publisher.problems),
      ...findViolations({ acknowledged, subscribers }),
    ],
    acknowledged: expected(CHANNELS).length,
    retries: publishers.reduce((sum, { publisher }) => sum + publisher.retries, 0),
    delivered: subscribers.reduce((sum, { received }) => sum + received.length, 0),
    connects: subscribers.reduce((sum, { connects }) => sum + connects, 0),
    faults: nemesis.counts,
  };
}
