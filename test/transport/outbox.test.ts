import fc from 'fast-check';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SerializedResults } from '../../src/transport/serialized-results.ts';
import { OperationId } from '../../src/transport/operation-id.ts';
import { Outbox } from '../../src/transport/outbox.ts';
import { SLICE_MS } from '../../src/slices.ts';
import { block } from '../support/block.ts';
import { readFrames } from '../support/read-frames.ts';

const server = createServer({ pauseOnConnect: true });
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** A TCP connection with an outbox on one end and its peer on the other. */
class Line implements Disposable {
  readonly outbox: Outbox;
  /** Number of overflows. The outbox closes at the first one, as that of a connection does. */
  overflows = 0;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #received: Buffer[] = [];

  private constructor(near: Socket, far: Socket, maxBytes: number) {
    this.#near = near;
    this.#far = far;
    this.outbox = new Outbox(near, this, maxBytes);
    far.on('data', (chunk) => this.#received.push(chunk));
  }

  static async open({ maxBytes = Number.POSITIVE_INFINITY, reads = true } = {}): Promise<Line> {
    const accepted = once(server, 'connection');
    const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [[far]] = (await Promise.all([accepted, once(near, 'connect')])) as [[Socket], unknown];
    const line = new Line(near, far, maxBytes);
    if (!reads) far.pause();
    return line;
  }

  /** What the session would do before a late flush. */
  applyDue: () => void = () => undefined;

  overflow(): void {
    this.overflows++;
    this.outbox.close();
  }

  /** Makes each write keep the event loop busy for `ms` milliseconds. */
  slowDown(ms: number): void {
    const write = this.#near.write.bind(this.#near);
    this.#near.write = (bytes: Uint8Array | string) => {
      block(ms);
      return write(bytes);
    };
  }

  resume(): void {
    this.#far.resume();
  }

  pause(): void {
    this.#far.pause();
  }

  /** Whether more is written than the kernel buffers for a peer that does not read. */
  get isBlocked(): boolean {
    return this.#near.writableLength > 0;
  }

  /** Ends the connection and resolves to all messages that the peer has read. */
  async end(): Promise<any[]> {
    this.#near.end();
    this.resume();
    await once(this.#far, 'end');
    return readFrames(this.#received);
  }

  [Symbol.dispose](): void {
    this.#near.destroy();
    this.#far.destroy();
  }
}

const serialize = (values: readonly unknown[]) =>
  new SerializedResults(
    values.map((value) => ({ data: { value } })),
    () => {
      throw new TypeError('There are no errors.');
    },
  );
const messagesFor = (id: string, values: readonly unknown[]) =>
  values.map((value) => ({ id, type: 'next', payload: { data: { value } } }));

const LINES = 6;
/** More bytes than the kernel buffers for a peer that does not read. */
const MORE_THAN_KERNEL_BUFFERS = 5 * 1024 * 1024;
/** Two short ids of the same length, and a UUID. */
const IDS = ['1', '2', '6f2a4c1e-91ab-4a0b-8d2b-111111111111'].map((text) => new OperationId(text));
/** The batches of a scenario: small ones, one with several messages, and some that the kernel does not take at once. */
const BATCHES = [
  [1],
  ['two', 'values'],
  ['x'.repeat(40_000)],
  ['y'.repeat(200_000)],
  ['z'.repeat(200_000), 3],
];

const send = fc.record({
  kind: fc.constant('SEND' as const),
  line: fc.nat(LINES - 1),
  batch: fc.nat(BATCHES.length - 1),
  id: fc.nat(IDS.length - 1),
});
/** One batch to all lines, as a published message is delivered. */
const sendAll = fc.record({ kind: fc.constant('SEND_ALL' as const), batch: fc.nat(BATCHES.length - 1) });
const text = fc.record({
  kind: fc.constant('TEXT' as const),
  line: fc.nat(LINES - 1),
  content: fc.oneof(fc.string(), fc.constant('w'.repeat(70_000))),
});
const flow = fc.record({
  kind: fc.constant('FLOW' as const),
  line: fc.nat(LINES - 1),
  reads: fc.boolean(),
});
const turn = fc.array(
  fc.oneof({ arbitrary: send, weight: 4 }, { arbitrary: sendAll, weight: 2 }, text, flow),
  { maxLength: 12, size: 'max' },
);

test('every peer reads its own messages in order when peers pause and resume (12 scenarios)', async () => {
  let blocked = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 8 }), async (turns) => {
      // Serialized anew for each scenario, because a paused socket may still read the memory of the previous one.
      const resultsOfBatch = BATCHES.map(serialize);
      const lines: Line[] = [];
      const sent: unknown[][] = [];
      const sendTo = (line: number, batch: number, id: OperationId) => {
        lines[line]!.outbox.send(resultsOfBatch[batch]!.framesFor(id), id);
        sent[line]!.push(...messagesFor(id.text, BATCHES[batch]!));
      };
      try {
        for (let line = 0; line < LINES; line++) {
          lines.push(await Line.open({ reads: line > 1 }));
          sent.push([]);
        }
        // The first two peers do not read, so their kernel buffers fill up.
        for (let bytes = 0; bytes < MORE_THAN_KERNEL_BUFFERS; bytes += 200_000) {
          for (const line of [0, 1]) sendTo(line, 3, IDS[line]!);
          await nextTurn();
        }
        blocked += lines.filter(({ isBlocked }) => isBlocked).length;
        for (const actions of turns) {
          for (const action of actions) {
            if (action.kind === 'SEND') sendTo(action.line, action.batch, IDS[action.id]!);
            else if (action.kind === 'SEND_ALL')
              lines.forEach((_, line) => sendTo(line, action.batch, IDS[line % IDS.length]!));
            else if (action.kind === 'TEXT') {
              const message = { id: 'text', content: action.content };
              lines[action.line]!.outbox.sendText(JSON.stringify(message));
              sent[action.line]!.push(message);
            } else if (action.reads) lines[action.line]!.resume();
            else lines[action.line]!.pause();
          }
          await nextTurn();
        }
        const read = await Promise.all(lines.map((line) => line.end()));
        for (const line of read.keys()) expectSame(read[line]!, sent[line]!);
      } finally {
        for (const line of lines) line[Symbol.dispose]();
      }
    }),
    { numRuns: 12 },
  );
  expect(blocked).toBeGreaterThan(0);
});

/** Compares outside of the assertion, whose report would print 200,000 characters. */
function expectSame(read: readonly unknown[], sent: readonly unknown[]): void {
  const toJson = (messages: readonly unknown[]) => messages.map((message) => JSON.stringify(message));
  const [actual, expected] = [toJson(read), toJson(sent)];
  const different = expected.findIndex((message, index) => message !== actual[index]);
  expect({
    count: actual.length,
    different,
    actual: actual[different]?.slice(0, 80),
  }).toEqual({ count: expected.length, different: -1 });
}

const hello = serialize(['hello']);
const goodbye = serialize(['goodbye']);
const large = serialize(['x'.repeat(60_000)]);
const [one, two] = IDS as [OperationId, OperationId];
const sendOn = ({ outbox }: Line, results: SerializedResults, id = one) =>
  outbox.send(results.framesFor(id), id);

/** Sends until the kernel takes no more bytes. Resolves to the number of messages sent. */
async function fill(line: Line): Promise<number> {
  for (let count = 1; ; count++) {
    sendOn(line, large);
    await nextTurn();
    if (line.isBlocked) return count;
  }
}

test('discard() drops the messages of the same turn and keeps those before and after it', async () => {
  using line = await Line.open();
  using neighbour = await Line.open();
  sendOn(line, hello);
  await nextTurn();
  sendOn(line, goodbye);
  line.outbox.sendText('"too late"');
  sendOn(neighbour, goodbye, two);
  line.outbox.discard();
  sendOn(line, hello, two);
  await nextTurn();
  expect(await line.end()).toEqual([...messagesFor('1', ['hello']), ...messagesFor('2', ['hello'])]);
  expect(await neighbour.end()).toEqual(messagesFor('2', ['goodbye']));
});

test('discard() keeps frames whole that a slow peer has read in part', async () => {
  using line = await Line.open({ reads: false });
  const count = await fill(line);
  sendOn(line, goodbye);
  line.outbox.discard();
  // Another socket is sent the same frames under another id.
  using other = await Line.open();
  sendOn(other, large, two);
  sendOn(line, hello);
  await nextTurn();
  const read = await line.end();
  expectSame(
    read.slice(0, -1),
    Array(count)
      .fill(messagesFor('1', ['x'.repeat(60_000)]))
      .flat(),
  );
  expect(read.at(-1)).toEqual(messagesFor('1', ['hello'])[0]);
  expectSame(await other.end(), messagesFor('2', ['x'.repeat(60_000)]));
});

test('close() drops unflushed messages and those sent afterwards', async () => {
  using line = await Line.open();
  sendOn(line, hello);
  line.outbox.flush();
  sendOn(line, goodbye);
  line.outbox.close();
  sendOn(line, goodbye);
  line.outbox.sendText('"too late"');
  expect(line.outbox.isClosed).toBe(true);
  await nextTurn();
  expect(await line.end()).toEqual(messagesFor('1', ['hello']));
});

test('overflows once when the queue exceeds maxBytes, and the peer reads all messages before', async () => {
  using line = await Line.open({ maxBytes: 200_000, reads: false });
  const count = await fill(line);
  let sent = count;
  while (line.overflows === 0) {
    const isFull = line.outbox.queuedBytes > 200_000;
    sendOn(line, large);
    expect(line.overflows).toBe(isFull ? 1 : 0);
    if (!isFull) sent++;
    await nextTurn();
  }
  for (let more = 0; more < 10; more++) {
    sendOn(line, large);
    line.outbox.sendText('"too late"');
    await nextTurn();
  }
  expect(line.overflows).toBe(1);
  // The peer fell behind by about maxBytes; the network adds some tolerance.
  expect((sent - count) * 60_000).toBeGreaterThan(120_000);
  expect((sent - count) * 60_000).toBeLessThan(600_000);
  expectSame(
    await line.end(),
    Array(sent)
      .fill(messagesFor('1', ['x'.repeat(60_000)]))
      .flat(),
  );
});

test('does not overflow for one large message or a burst within one turn when the peer reads', async () => {
  using line = await Line.open({ maxBytes: 1000 });
  const texts = Array.from({ length: 500 }, (_, n) => `${n} `.repeat(20));
  sendOn(line, large);
  for (const text of texts) line.outbox.sendText(JSON.stringify(text));
  await nextTurn();
  const read = await line.end();
  expect(line.overflows).toBe(0);
  expectSame(read, [...messagesFor('1', ['x'.repeat(60_000)]), ...texts]);
});

test('whenWritable() is pending while the peer is behind and resolves when it has read or the outbox closes', async () => {
  using line = await Line.open({ reads: false });
  expect(line.outbox.whenWritable()).toBeUndefined();
  await fill(line);
  for (const id of [one, two]) sendOn(line, large, id);
  const room = line.outbox.whenWritable();
  expect(room).toBeInstanceOf(Promise);
  expect(line.outbox.whenWritable()).toBe(room);
  line.resume();
  await room;
  expect(line.outbox.whenWritable()).toBeUndefined();

  line.pause();
  await fill(line);
  for (const id of [one, two]) sendOn(line, large, id);
  const roomUntilClose = line.outbox.whenWritable();
  expect(roomUntilClose).toBeInstanceOf(Promise);
  line.outbox.close();
  await roomUntilClose;
  expect(line.outbox.whenWritable()).toBeUndefined();
});

test('flushes many outboxes in slices, and a peer that loses access in between receives nothing', async () => {
  const lines: Line[] = [];
  try {
    while (lines.length < 24) lines.push(await Line.open());
    for (const [index, line] of lines.entries()) {
      if (index % 8 === 0) line.slowDown(SLICE_MS);
      line.outbox.sendText('"one"');
    }
    await Promise.resolve();
    // Eight outboxes are one slice here.
    expect(lines.map(({ outbox }) => outbox.queuedBytes > 0)).toEqual(lines.map((_, index) => index >= 8));
    const revoked = lines[20]!;
    revoked.applyDue = () => revoked.outbox.close();
    // Joins the message that waits, or follows the one that has left.
    for (const { outbox } of lines) outbox.sendText('"two"');
    while (lines.some(({ outbox }) => outbox.queuedBytes > 0)) await nextTurn();
    const received = await Promise.all(lines.map((line) => line.end()));
    expect(received).toEqual(lines.map((line) => (line === revoked ? [] : ['one', 'two'])));
  } finally {
    for (const line of lines) line[Symbol.dispose]();
  }
});
