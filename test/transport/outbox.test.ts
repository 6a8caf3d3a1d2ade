import fc from 'fast-check';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SerializedResults } from '../../src/transport/serialized-results.ts';
import { OperationId } from '../../src/transport/operation-id.ts';
import { Outbox } from '../../src/transport/outbox.ts';
import { readFrames } from '../support/read-frames.ts';

const server = createServer({ pauseOnConnect: true });
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** An outbox on one end of a TCP connection, and whoever is at the other. */
class Line implements Disposable {
  readonly outbox: Outbox;
  /** How often it was too full. As a connection does, it takes nothing more from then on. */
  overflows = 0;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #heard: Buffer[] = [];

  private constructor(near: Socket, far: Socket, maxBytes: number) {
    this.#near = near;
    this.#far = far;
    this.outbox = new Outbox(near, this, maxBytes);
    far.on('data', (chunk) => this.#heard.push(chunk));
  }

  static async open({ maxBytes = Number.POSITIVE_INFINITY, reads = true } = {}): Promise<Line> {
    const accepted = once(server, 'connection');
    const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [[far]] = (await Promise.all([accepted, once(near, 'connect')])) as [[Socket], unknown];
    const line = new Line(near, far, maxBytes);
    if (!reads) far.pause();
    return line;
  }

  overflow(): void {
    this.overflows++;
    this.outbox.close();
  }

  goOn(): void {
    this.#far.resume();
  }

  stall(): void {
    this.#far.pause();
  }

  /** Whether it is more than the kernel takes for a peer that does not read. */
  get isStuck(): boolean {
    return this.#near.writableLength > 0;
  }

  /** All that the peer reads until the end. */
  async end(): Promise<any[]> {
    this.#near.end();
    this.goOn();
    await once(this.#far, 'end');
    return readFrames(this.#heard);
  }

  [Symbol.dispose](): void {
    this.#near.destroy();
    this.#far.destroy();
  }
}

const executedOf = (all: readonly unknown[]) =>
  new SerializedResults(
    all.map((said) => ({ data: { said } })),
    () => {
      throw new TypeError('There are no errors.');
    },
  );
const messagesFor = (id: string, all: readonly unknown[]) =>
  all.map((said) => ({ id, type: 'next', payload: { data: { said } } }));

const LINES = 6;
/** More than this the kernel does not hold for a peer that reads nothing. */
const TOO_MUCH = 5 * 1024 * 1024;
/** Two of one length, one that is a client’s own. */
const IDS = ['1', '2', '6f2a4c1e-91ab-4a0b-8d2b-111111111111'].map((text) => new OperationId(text));
/** The runs of a scene: small ones, several messages in one, and some that are not taken at once. */
const RUNS = [[1], ['two', 'of them'], ['x'.repeat(40_000)], ['y'.repeat(200_000)], ['z'.repeat(200_000), 3]];

const send = fc.record({
  kind: fc.constant('SEND' as const),
  line: fc.nat(LINES - 1),
  run: fc.nat(RUNS.length - 1),
  id: fc.nat(IDS.length - 1),
});
/** As a run goes out to everybody. */
const sendAll = fc.record({ kind: fc.constant('SEND_ALL' as const), run: fc.nat(RUNS.length - 1) });
const text = fc.record({
  kind: fc.constant('TEXT' as const),
  line: fc.nat(LINES - 1),
  words: fc.oneof(fc.string(), fc.constant('w'.repeat(70_000))),
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

test('each peer reads what it was sent, in order, however slowly it and others read', async () => {
  let stuck = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 8 }), async (turns) => {
      // Executed anew in each scene: what one socket is still reading is of this scene.
      const executed = RUNS.map(executedOf);
      const lines: Line[] = [];
      const sent: unknown[][] = [];
      const sendTo = (line: number, run: number, id: OperationId) => {
        const made = executed[run]!;
        lines[line]!.outbox.send(made.framesFor(id), id);
        sent[line]!.push(...messagesFor(id.text, RUNS[run]!));
      };
      try {
        for (let line = 0; line < LINES; line++) {
          lines.push(await Line.open({ reads: line > 1 }));
          sent.push([]);
        }
        // The first two read nothing, and their kernels are full but for a little.
        for (let bytes = 0; bytes < TOO_MUCH; bytes += 200_000) {
          for (const line of [0, 1]) sendTo(line, 3, IDS[line]!);
          await nextTurn();
        }
        stuck += lines.filter(({ isStuck }) => isStuck).length;
        for (const acts of turns) {
          for (const act of acts) {
            if (act.kind === 'SEND') sendTo(act.line, act.run, IDS[act.id]!);
            else if (act.kind === 'SEND_ALL')
              lines.forEach((_, line) => sendTo(line, act.run, IDS[line % IDS.length]!));
            else if (act.kind === 'TEXT') {
              const message = { id: 'text', words: act.words };
              lines[act.line]!.outbox.sendText(JSON.stringify(message));
              sent[act.line]!.push(message);
            } else if (act.reads) lines[act.line]!.goOn();
            else lines[act.line]!.stall();
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
  expect(stuck).toBeGreaterThan(0);
}, 60_000);

/** Compared outside the assertion: nobody wants to see 200,000 characters differ. */
function expectSame(read: readonly unknown[], sent: readonly unknown[]): void {
  const shown = (all: readonly unknown[]) => all.map((one) => JSON.stringify(one));
  const [is, shall] = [shown(read), shown(sent)];
  const different = shall.findIndex((one, index) => one !== is[index]);
  expect({
    count: is.length,
    different,
    is: is[different]?.slice(0, 80),
  }).toEqual({ count: shall.length, different: -1 });
}

const hello = executedOf(['hello']);
const goodbye = executedOf(['goodbye']);
const large = executedOf(['x'.repeat(60_000)]);
const [one, two] = IDS as [OperationId, OperationId];
const sendOn = ({ outbox }: Line, made: SerializedResults, id = one) => outbox.send(made.framesFor(id), id);

/** Sends until the kernel takes no more; resolves to how many messages that were. */
async function fill(line: Line): Promise<number> {
  for (let count = 1; ; count++) {
    sendOn(line, large);
    await nextTurn();
    if (line.isStuck) return count;
  }
}

test('what is discarded in the turn in which it was sent is never read; what came before and after is', async () => {
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

test('what a peer has not taken is not discarded in the middle of a frame', async () => {
  using line = await Line.open({ reads: false });
  const count = await fill(line);
  sendOn(line, goodbye);
  line.outbox.discard();
  // The same memory is asked for by somebody else.
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

test('once it is closed it takes nothing, and what was not flushed is forgotten', async () => {
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

test('past its bounds it overflows, once where that closes it; what was taken before is read whole', async () => {
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
  // It was let fall behind by as much as it may, beside what the network makes of it.
  expect((sent - count) * 60_000).toBeGreaterThan(120_000);
  expect((sent - count) * 60_000).toBeLessThan(600_000);
  expectSame(
    await line.end(),
    Array(sent)
      .fill(messagesFor('1', ['x'.repeat(60_000)]))
      .flat(),
  );
});

test('neither a large parcel nor a burst of one turn is too much for a peer that reads', async () => {
  using line = await Line.open({ maxBytes: 1000 });
  const words = Array.from({ length: 500 }, (_, n) => `${n} `.repeat(20));
  sendOn(line, large);
  for (const word of words) line.outbox.sendText(JSON.stringify(word));
  await nextTurn();
  const read = await line.end();
  expect(line.overflows).toBe(0);
  expectSame(read, [...messagesFor('1', ['x'.repeat(60_000)]), ...words]);
});

test('whoever reads ahead is told to wait until the peer has read, or is gone', async () => {
  using line = await Line.open({ reads: false });
  expect(line.outbox.room()).toBeUndefined();
  await fill(line);
  for (const id of [one, two]) sendOn(line, large, id);
  const room = line.outbox.room();
  expect(room).toBeInstanceOf(Promise);
  expect(line.outbox.room()).toBe(room);
  line.goOn();
  await room;
  expect(line.outbox.room()).toBeUndefined();

  line.stall();
  await fill(line);
  for (const id of [one, two]) sendOn(line, large, id);
  const never = line.outbox.room();
  expect(never).toBeInstanceOf(Promise);
  line.outbox.close();
  await never;
  expect(line.outbox.room()).toBeUndefined();
});
