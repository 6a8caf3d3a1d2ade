import { createClient } from '@signalbox/client';
import { type Command } from 'commander';
import { WebSocket } from 'ws';
import { addCommand, openSession, type CommonOptions, type Session } from './command.ts';
import { type RemoteTerminal } from './terminal.ts';
import { createProgress } from './progress.ts';
import { parseInteger } from './values.ts';

const DOCUMENT = `subscription ($channel: ID!) { messages(channel: $channel) { data } }`;
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
      await session.signalbox.channels.create({ id: channel, history: { messages: 0 } });
      try {
        const result = await measure(session, channel, subscribers, messages);
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

async function measure(
  { signalbox, address, terminal }: Session,
  channel: string,
  subscribers: number,
  messages: number,
): Promise<BenchResult> {
  const { now } = terminal;
  const latencies: number[] = [];
  let received = 0;
  let wake: () => void = () => undefined;
  let failure: Error | undefined;
  const clients = Array.from({ length: subscribers }, () =>
    createClient({ url: address.url, credential: address.apiKey ?? '', webSocket: WebSocket }),
  );
  const progress = createProgress(terminal, 'deliveries');
  const arrived = async (count: number) => {
    const deadline = AbortSignal.timeout(TIMEOUT_MS);
    deadline.addEventListener('abort', () => wake(), { once: true });
    while (received < count) {
      if (failure) throw failure;
      if (deadline.aborted)
        throw new Error(`Only ${received} of ${count} deliveries arrived within ${TIMEOUT_MS / 1_000} s.`);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  try {
    for (const client of clients) {
      client.subscribe(
        DOCUMENT,
        { channel },
        {
          next(data) {
            latencies.push(now() - (data as { messages: { data: number } }).messages.data);
            received += 1;
            wake();
          },
          error(error) {
            failure = error;
            wake();
          },
        },
      );
      // The answer comes after the subscription has begun, because operations of a connection are taken in order.
      await client.graphql(`{ viewer { kind } }`);
    }
    const startedAt = now();
    for (let index = 0; index < messages; index++) {
      await signalbox.publishMessage(channel, 'bench', now(), { ephemeral: true });
      progress.update(received, (index + 1) / messages);
    }
    await arrived(subscribers * messages);
    const seconds = Math.max(0.001, (now() - startedAt) / 1_000);
    latencies.sort((a, b) => a - b);
    const at = (part: number) =>
      latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? 0;
    return {
      subscribers,
      messages,
      deliveries: received,
      deliveriesPerSecond: Math.round(received / seconds),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
    };
  } finally {
    progress.end();
    await Promise.all(clients.map((client) => client.close()));
  }
}
