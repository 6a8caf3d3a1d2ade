import { createClient, SignalboxError } from '@signalbox/client';
import { type Command } from 'commander';
import { WebSocket } from 'ws';
import { addCommand, openSession, type CommonOptions, type Session } from './command.ts';
import { type RemoteTerminal } from './terminal.ts';
import { createProgress } from './progress.ts';
import { parseInteger } from './values.ts';

const DOCUMENT = `subscription ($channel: ID!) { messages(channel: $channel) { data } }`;
/** All connections together must be open, and all deliveries after the last message must have arrived, within this time. */
const TIMEOUT_MS = 60_000;

interface BenchResult {
  subscribers: number;
  messages: number;
  deliveries: number;
  deliveriesPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** `bench`. */
export function addBenchCommand(program: Command, terminal: RemoteTerminal): void {
  addCommand(
    program,
    'bench',
    'Measure a fan-out: subscribers of one channel, and messages one after the other. Creates a channel and deletes it.',
  )
    .option('--subscribers <number>', 'connections that subscribe: 1–5000', '100')
    .option('--messages <number>', 'messages to publish: 1–100000', '100')
    .action(async (options: CommonOptions & { subscribers: string; messages: string }) => {
      const session = openSession(terminal, options);
      const subscribers = parseInteger('--subscribers', options.subscribers, 1, 5_000);
      const messages = parseInteger('--messages', options.messages, 1, 100_000);
      const channel = `bench:${crypto.randomUUID()}`;
      // The first signal ends the measurement, so that the channel is deleted; a second one ends the process.
      const stop = new AbortController();
      terminal.onInterrupt(() => stop.abort());
      await session.signalbox.channels.create({ id: channel, history: { messages: 0 } });
      try {
        const result = await measure(session, channel, { subscribers, messages, signal: stop.signal });
        if (result === undefined) {
          terminal.print('Interrupted; the channel of the measurement is deleted.');
          return terminal.setExitCode(1);
        }
        await session.output.one(result, [
          ['SUBSCRIBERS', (row) => row.subscribers],
          ['MESSAGES', (row) => row.messages],
          ['DELIVERIES', (row) => row.deliveries],
          ['PER SECOND', (row) => row.deliveriesPerSecond],
          ['LATENCY p50', (row) => `${row.p50Ms} ms`],
          ['LATENCY p99', (row) => `${row.p99Ms} ms`],
          ['LATENCY max', (row) => `${row.maxMs} ms`],
        ]);
      } finally {
        await session.signalbox.channels.delete(channel);
      }
    });
}

/** Resolves to undefined when `signal` aborts. */
async function measure(
  { signalbox, address, terminal }: Session,
  channel: string,
  { subscribers, messages, signal }: { subscribers: number; messages: number; signal: AbortSignal },
): Promise<BenchResult | undefined> {
  const { now } = terminal;
  const latencies = createLatencies();
  let wake: () => void = () => undefined;
  let failure: Error | undefined;
  const clients: { close(): Promise<void> }[] = [];
  const progress = createProgress(terminal, 'deliveries');
  const stopped = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  const arrived = async (count: number) => {
    const deadline = AbortSignal.timeout(TIMEOUT_MS);
    for (const end of [deadline, signal]) end.addEventListener('abort', () => wake(), { once: true });
    while (latencies.count < count && !signal.aborted) {
      if (failure) throw failure;
      if (deadline.aborted)
        throw new Error(
          `Only ${latencies.count} of ${count} deliveries arrived within ${TIMEOUT_MS / 1_000} s.`,
        );
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  try {
    const connectDeadline = AbortSignal.timeout(TIMEOUT_MS);
    const tooSlow = new Promise<void>((resolve) =>
      connectDeadline.addEventListener('abort', () => resolve(), { once: true }),
    );
    for (let index = 0; index < subscribers && !signal.aborted; index++) {
      const client = createClient({
        url: address.url,
        credential: address.apiKey ?? '',
        webSocket: WebSocket,
      });
      clients.push(client);
      client.subscribe(
        DOCUMENT,
        { channel },
        {
          next(data) {
            latencies.add(now() - (data as { messages: { data: number } }).messages.data);
            wake();
          },
          error(error) {
            failure = error;
            wake();
          },
        },
      );
      // The answer comes after the subscription has begun, because operations of a connection are taken in order.
      const answer = client.graphql(`{ viewer { kind } }`);
      // Closing the client rejects it after an interruption.
      answer.catch(() => undefined);
      await Promise.race([answer, stopped, tooSlow]);
      if (connectDeadline.aborted)
        throw new SignalboxError(
          'UNAVAILABLE',
          `Only ${index} of ${subscribers} subscribers could connect within ${TIMEOUT_MS / 1_000} s. “signalbox doctor” checks the WebSocket.`,
        );
    }
    const startedAt = now();
    for (let index = 0; index < messages && !signal.aborted; index++) {
      if (failure) throw failure;
      await signalbox.publishMessage(channel, 'bench', now(), { ephemeral: true });
      progress.update(latencies.count, (index + 1) / messages);
    }
    await arrived(subscribers * messages);
    if (signal.aborted) return undefined;
    const seconds = Math.max(0.001, (now() - startedAt) / 1_000);
    return {
      subscribers,
      messages,
      deliveries: latencies.count,
      deliveriesPerSecond: Math.round(latencies.count / seconds),
      p50Ms: latencies.at(0.5),
      p99Ms: latencies.at(0.99),
      maxMs: latencies.at(1),
    };
  } finally {
    progress.end();
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** Latencies in whole milliseconds, counted by value: hundreds of millions of deliveries take no more memory than ten. */
export function createLatencies() {
  const counts = new Float64Array(TIMEOUT_MS + 1);
  let count = 0;
  return {
    get count() {
      return count;
    },
    /** Longer latencies than the timeout count as the timeout; a clock that was set back, as 0. */
    add(ms: number) {
      const index = Math.min(TIMEOUT_MS, Math.max(0, Math.round(ms)));
      counts[index] = (counts[index] ?? 0) + 1;
      count += 1;
    },
    /** The latency that a part of the deliveries did not exceed, by nearest rank; 0 without deliveries. */
    at(part: number): number {
      let left = Math.max(1, Math.ceil(count * part));
      return Math.max(
        0,
        counts.findIndex((many) => (left -= many) <= 0),
      );
    },
  };
}
