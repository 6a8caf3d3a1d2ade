import { type Endpoint } from '../contender.ts';
import { Backend } from '../load/backend.ts';
import { Connection, type Listener } from '../load/connection.ts';
import { operationOf } from '../load/fixture.ts';
import { SUBSCRIBE_EVENTS } from '../load/protocols/graphql.ts';
import { Publisher } from '../load/publisher.ts';

const CONNECTING_AT_ONCE = 64;
/** Members of one channel, so that 500 messages per second are 5,000 deliveries per second. */
const MEMBERS = 10;
/** A timer cannot fire more often with any precision; each turn publishes what is due since the last one. */
const TURN_MS = 5;

/** A project in use: live connections, each in one channel, and a steady rate of messages. */
export interface Load extends Disposable {
  readonly published: number;
  readonly deliveries: number;
  /** The id of a channel of the load. */
  readonly channel: string;
}

/** Connects the clients, then publishes to the channels in turn until it is disposed. */
export async function startLoad(endpoint: Endpoint, connections: number, perSecond: number): Promise<Load> {
  const channels = Array.from({ length: Math.ceil(connections / MEMBERS) }, (_, index) => `room:${index}`);
  const credentials = await mint(endpoint, connections, channels);
  let failure: Error | undefined;
  let deliveries = 0;
  const fail = (message: string) => (failure ??= new Error(message));
  const sockets: Connection[] = [];
  await inParallel(connections, async (index) => {
    const listener: Listener = {
      onMessage(bytes, start, stop) {
        const text = bytes.toString('latin1', start, stop);
        if (text.includes('"ChannelMessage"')) deliveries++;
        const { protocol, socket } = connection;
        const answer = protocol.keepAlive(text);
        if (answer !== undefined) socket.sendText(answer);
        if (protocol.isRefusal(text)) fail(text);
      },
      onClose: (code, reason) => void fail(`The service closed a client with ${code}: ${reason}`),
    };
    const connection = new Connection(
      endpoint,
      {
        operations: [operationOf(endpoint, { query: SUBSCRIBE_EVENTS })],
        connectionParams: { token: credentials[index] },
      },
      listener,
      index,
    );
    sockets.push(connection);
    await connection.ready;
  });
  const publisher = await Publisher.open(endpoint, fail);
  const startedAt = performance.now();
  let published = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1_000);
    while (published < due) publisher.publish(++published, channels[published % channels.length]);
  }, TURN_MS);
  return {
    get published() {
      if (failure) throw failure;
      return published;
    },
    get deliveries() {
      return deliveries;
    },
    channel: channels[0]!,
    [Symbol.dispose]() {
      clearInterval(timer);
      publisher[Symbol.dispose]();
      for (const { socket } of sockets) socket.leave();
    },
  };
}

/** Mints one token for each connection: `MEMBERS` of them in each channel. */
async function mint(endpoint: Endpoint, count: number, channels: readonly string[]): Promise<string[]> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(channels);
  const credentials: string[] = [];
  await inParallel(count, async (index) => {
    const channel = channels[Math.floor(index / MEMBERS)]!;
    const [token] = await backend.mintTokens(1, { identity: `user-${index}`, channels: [channel] });
    credentials[index] = token!.credential;
  });
  return credentials;
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(count, CONNECTING_AT_ONCE) }, worker));
}
