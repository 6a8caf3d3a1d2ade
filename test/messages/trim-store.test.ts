import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Message } from '../../src/broker/message.ts';
import { createLogStore } from '../../src/messages/log/log-store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { draft } from '../support/drafts.ts';

const ADDRESSES = ['channel:a', 'channel:b', 'channel:c'] as const;
const address = fc.constantFrom(...ADDRESSES);
const time = fc.integer({ min: 0, max: 50 });
const limit = fc.integer({ min: 1, max: 20 });

const operation = fc.oneof(
  fc.record({ kind: fc.constant('PUBLISH' as const), address, count: fc.nat(30), later: fc.nat(10) }),
  fc.record({ kind: fc.constant('KEEP' as const), address, keep: fc.nat(10), limit }),
  fc.record({ kind: fc.constant('EXPIRE' as const), address: fc.option(address), before: time, limit }),
);

const sequenceOf = ({ logged }: Message) => logged?.sequence ?? 0;

test('trims remove exactly the messages above a number or before a time, and record them per address (property)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
      await using store = openSqlite({ data: ':memory:', synchronous: 'normal' });
      const log = createLogStore(store, randomBytes);
      log.append([draft({ projectId: 'other', address: 'channel:a', publishedAt: 0 })]);
      let kept: Message[] = [];
      const trimmedThrough = new Map<string, number>();
      let now = 0;
      const expectRemoved = (isRemoved: (message: Message) => boolean) => {
        for (const message of kept.filter(isRemoved))
          trimmedThrough.set(message.address, sequenceOf(message));
        kept = kept.filter((message) => !isRemoved(message));
      };
      for (const one of operations) {
        if (one.kind === 'PUBLISH') {
          now += one.later;
          const drafts = Array.from({ length: one.count }, () =>
            draft({ projectId: 'one', address: one.address, publishedAt: now }),
          );
          for (const appended of log.append(drafts)) if ('message' in appended) kept.push(appended.message);
        } else if (one.kind === 'KEEP') {
          const through = log.excessThrough('one', one.address, one.keep);
          while (log.trim([{ projectId: 'one', address: one.address, through }], one.limit) > 0);
          const own = kept.filter((message) => message.address === one.address);
          const excess = new Set(own.slice(0, Math.max(0, own.length - one.keep)));
          expectRemoved((message) => excess.has(message));
        } else if (one.address === null) {
          const through = log.agedThrough('one', one.before);
          while (log.trimProject('one', through, one.limit) > 0);
          expectRemoved(({ publishedAt }) => publishedAt < one.before);
        } else {
          const through = log.agedThrough('one', one.before, one.address);
          while (log.trim([{ projectId: 'one', address: one.address, through }], one.limit) > 0);
          expectRemoved((message) => message.address === one.address && message.publishedAt < one.before);
        }
        for (const each of ADDRESSES) {
          const page = log.read({ projectId: 'one', after: 0, addresses: new Map([[each, 0]]), limit: 1000 });
          const expected = kept.filter((message) => message.address === each).map(sequenceOf);
          expect(page.messages.map(sequenceOf)).toEqual(expected);
          expect(log.trimmedThrough('one', each)).toBe(trimmedThrough.get(each) ?? 0);
        }
      }
      expect(log.trimmedThrough('other', 'channel:a')).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('messages before one that has expired are removed with it, although the clock stood ahead when they were published', async () => {
  await using store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const log = createLogStore(store, randomBytes);
  const publish = (...times: number[]) =>
    log.append(times.map((publishedAt) => draft({ projectId: 'one', address: 'channel:a', publishedAt })));
  publish(1, 9000, 2, 3, 4);
  expect(log.agedThrough('one', 3)).toBe(3);
  expect(log.agedThrough('one', 3, 'channel:a')).toBe(3);
});
