import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Address, type Message } from '../../src/broker/message.ts';
import { type Position } from '../../src/broker/position.ts';
import { createLogStore } from '../../src/messages/log/log-store.ts';
import { SharedPages, type Page } from '../../src/messages/log/shared-pages.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createChannel, mint } from '../support/backend.ts';
import { draft } from '../support/drafts.ts';
import {
  EVENTS,
  subscribeResuming,
  MESSAGES,
  type ResumingSubscription,
} from '../support/resuming-subscription.ts';
import { createRandom } from '../support/random.ts';
import { publishNumbers, numbers, publishTo } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const MAX_BYTES = 16 * 1024 * 1024;

const operation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('READ' as const),
      key: fc.constantFrom(...KEYS),
      bytes: fc.oneof(fc.nat(20), fc.integer({ min: 0, max: MAX_BYTES })),
      isFull: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'PUBLISH' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'CLEAR' as const }) },
);

/** The pages that are cached for `head`. Does not change valid pages. */
function cachedIn(shared: SharedPages, head: Position): Page[] {
  return KEYS.flatMap((key) => {
    try {
      return shared.getOrRead(key, head, () => {
        throw new Error('The page is not cached.');
      });
    } catch {
      return [];
    }
  });
}

test('a page is shared while it is valid: a full page until the cache is cleared, others until the log grows', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), (operations) => {
      const shared = new SharedPages();
      let head: Position = { epoch: 1, sequence: 0 };
      let reads = 0;
      let read = new Map<string, { page: Page; head: Position }>();
      for (const one of operations) {
        if (one.kind === 'PUBLISH') head = { epoch: 1, sequence: head.sequence + 1 };
        else if (one.kind === 'CLEAR') {
          shared.clear();
          read = new Map();
          expect(cachedIn(shared, head)).toEqual([]);
        } else {
          const { key, bytes, isFull } = one;
          const readBefore = reads;
          const page = shared.getOrRead(key, head, () => {
            reads++;
            return { messages: [], damaged: [], bytes, through: head.sequence, isFull };
          });
          const last = read.get(key);
          if (reads > readBefore) read.set(key, { page, head });
          else {
            expect(page).toBe(last?.page);
            expect(page.isFull || last?.head === head).toBe(true);
          }
          // The next read shares the page (a full page even after a publish), unless the page exceeds the cache.
          const next = page.isFull ? { epoch: 1, sequence: head.sequence + 1 } : head;
          if (page.bytes < MAX_BYTES / 2) expect(shared.getOrRead(key, next, () => ({ ...page }))).toBe(page);
        }
      }
      const kept = cachedIn(shared, head);
      expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(MAX_BYTES);
    }),
  );
});

test('the cache is bounded and keeps the newest pages when pages have no data', () => {
  const shared = new SharedPages();
  const head = { epoch: 1, sequence: 0 };
  const make = (): Page => ({ messages: [], damaged: [], bytes: 0, through: 0, isFull: true });
  const pages = numbers(40_000).map((number) => shared.getOrRead(`${number}`, head, make));
  const kept = pages.filter((page, number) => {
    try {
      return (
        shared.getOrRead(`${number}`, head, () => {
          throw new Error('The page is not cached.');
        }) === page
      );
    } catch {
      return false;
    }
  });
  expect(kept.length).toBeGreaterThan(1000);
  expect(kept.length).toBeLessThan(20_000);
  expect(kept.at(-1)).toBe(pages.at(-1));
});

const ADDRESSES = ['channel:one', 'channel:two', 'token:token_1'] as const;
const anyAddress = fc.constantFrom(...ADDRESSES);
const projectId = fc.constantFrom('one', 'one', 'two');
const write = fc.record({
  kind: fc.constant('WRITE' as const),
  projectId,
  address: anyAddress,
  count: fc.integer({ min: 1, max: 8 }),
});
const trim = fc.record({
  kind: fc.constant('TRIM' as const),
  projectId,
  address: anyAddress,
  keep: fc.nat(6),
});
/** Few distinct values, so that the same page is requested repeatedly, also with different floors. */
const read = fc.record({
  kind: fc.constant('READ' as const),
  projectId,
  after: fc.constantFrom(0, 0, 3, 10),
  floors: fc.uniqueArray(fc.tuple(anyAddress, fc.constantFrom(0, 0, 0, 5)), {
    selector: ([address]) => address,
    minLength: 1,
  }),
  limit: fc.constantFrom(2, 5),
});

test('read returns the current content of the log, regardless of pages that were shared before', async () => {
  const operations = fc.array(fc.oneof(write, trim, { arbitrary: read, weight: 3 }), {
    maxLength: 40,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(operations, async (all) => {
      await using store = openSqlite({ data: ':memory:', synchronous: 'normal' });
      const log = createLogStore(store, randomBytes);
      let kept: Message[] = [];
      for (const { projectId, ...one } of all) {
        if (one.kind === 'WRITE') {
          const drafts = numbers(one.count).map(() =>
            draft({ projectId, address: one.address, data: 'x'.repeat(10) }),
          );
          for (const appended of log.append(drafts)) if ('message' in appended) kept.push(appended.message);
        } else if (one.kind === 'TRIM') {
          const through = log.excessThrough(projectId, one.address, one.keep);
          log.trim([{ projectId, address: one.address, through }], 1000);
          const own = kept.filter(
            (message) => message.projectId === projectId && message.address === one.address,
          );
          const trimmed = new Set(own.slice(0, Math.max(0, own.length - one.keep)));
          kept = kept.filter((message) => !trimmed.has(message));
        } else {
          const { after, limit } = one;
          const addresses = new Map<Address, number>(one.floors);
          const { sequence: head } = log.head(projectId);
          const page = log.read({ projectId, after, addresses, limit, maxBytes: 45 });
          const isRequested = ({ address, logged, ...message }: Message) =>
            message.projectId === projectId &&
            logged!.sequence > Math.max(after, addresses.get(address) ?? Number.POSITIVE_INFINITY);
          expect(page.messages).toEqual(
            kept.filter((message) => isRequested(message) && message.logged!.sequence <= page.through),
          );
          expect(page.messages.length).toBeLessThanOrEqual(limit);
          expect(page.hasMore || page.through === head).toBe(true);
          if (head > after) expect(page.through).toBeGreaterThan(after);
        }
      }
    }),
    { interruptAfterTimeLimit: 15_000 },
  );
});

const purge = ({ service }: TestService) => service.retention.purge();
const dataOf = ({ messages }: ResumingSubscription): number[] => messages.map(({ data }) => data);
const isComplete = ({ messages }: ResumingSubscription) => messages.at(-1)?.data === 'the last';
const KEPT = 150;

test('messages that were read before a purge are not replayed after the purge', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  const { cursor: since } = token;
  await publishNumbers(signalbox, 'room', 1000);
  const early = numbers(3).map(() =>
    subscribeResuming(signalbox.client({ token: token.credential }), EVENTS, { since }),
  );
  await Promise.all(early.map((one) => one.until(({ messages }) => messages.length === 1000)));
  for (const one of early) expect(dataOf(one)).toEqual(numbers(1000));

  await signalbox.request(
    'mutation ($h: HistoryPolicyInput) { updateChannel(id: "room", input: { history: $h }) { id } }',
    { h: { messages: KEPT } },
  );
  await purge(signalbox);
  const client = signalbox.client({ token: token.credential });
  const late = subscribeResuming(client, EVENTS, { since });
  await publishTo(signalbox, { token: token.id }, 'the last');
  await late.until(isComplete);
  expect(late.events.map(({ __typename }) => __typename)).toEqual(['Connected', 'Gap']);
  expect(dataOf(late)).toEqual([...numbers(KEPT, 1000 - KEPT), 'the last']);
  expect(await subscribeResuming(client, MESSAGES, { channel: 'room', since }).ended).toMatchObject([
    { extensions: { code: 'POSITION_LOST' } },
  ]);
});

/** One of many subscriptions that resume from the same cursors, with the state of the log when it resumed. */
interface Reader {
  followed: ResumingSubscription;
  /** The number of the first message after the cursor. */
  from: number;
  /** The number of the first message that was retained when the subscription resumed. */
  kept: number;
  isInbox: boolean;
}

test('subscriptions that resume from the same cursors during publishes and purges get all messages or a gap', async () => {
  const random = createRandom();
  await using signalbox = await startService({ maxOperationsPerConnection: 500 });
  await createChannel(signalbox, 'room', { history: { messages: KEPT } });
  const token = await mint(signalbox, { channels: ['room'] });
  const clients = numbers(4).map(() => signalbox.client({ token: token.credential }));
  const cursors = [token.cursor];
  const readers: Reader[] = [];
  let kept = 0;

  const resume = () => {
    const from = Math.floor(Math.max(0, cursors.length - 1 - random() * 3 * KEPT));
    for (const [index, client] of clients.entries()) {
      for (const isInbox of [true, false]) {
        if (index === 0 && isInbox) continue;
        const variables = { since: cursors[from]!, ...(!isInbox && { channel: 'room' }) };
        const followed = subscribeResuming(client, isInbox ? EVENTS : MESSAGES, variables);
        readers.push({ followed, from, kept, isInbox });
      }
    }
  };
  for (let round = 0; round < 15; round++) {
    const publishing = publishNumbers(signalbox, 'room', 50 + Math.floor(random() * 50), cursors.length - 1);
    resume();
    const purging = random() < 0.5 ? purge(signalbox) : undefined;
    resume();
    for (const { cursor } of await publishing) cursors.push(cursor!);
    if (random() < 0.7) {
      await purging;
      await purge(signalbox);
      kept = Math.max(kept, cursors.length - 1 - KEPT);
    }
    resume();
  }
  const total = cursors.length - 1;
  await publishTo(signalbox, { channel: 'room' }, 'the last');

  let gaps = 0;
  let complete = 0;
  for (const { followed, from, kept: keptThen, isInbox } of readers) {
    const error: any = await Promise.race([
      followed.until(isComplete).catch(() => undefined),
      followed.ended,
    ]);
    const received = dataOf(followed).filter((data) => typeof data === 'number');
    const isLost = isInbox
      ? followed.events.some(({ __typename }) => __typename === 'Gap')
      : error !== undefined;
    if (error !== undefined) expect(error).toMatchObject([{ extensions: { code: 'POSITION_LOST' } }]);
    // Messages that were purged before the subscription resumed are not delivered.
    expect(received[0] ?? total).toBeGreaterThanOrEqual(keptThen);
    if (isLost) gaps++;
    else complete++;
    if (!isLost) expect(received).toEqual(numbers(total - from, from));
    else if (!isInbox) expect(received).toEqual(numbers(received.length, from));
    else expect(received).toEqual(received.toSorted((a, b) => a - b));
    if (from < keptThen) expect(isLost).toBe(true);
    if (isInbox)
      expect(received.slice(-KEPT)).toEqual(
        numbers(Math.min(KEPT, total - from), Math.max(total - KEPT, from)),
      );
  }
  expect(gaps).toBeGreaterThan(10);
  expect(complete).toBeGreaterThan(10);
});
