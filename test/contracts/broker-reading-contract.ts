import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Address } from '../../src/broker/message.ts';
import { ADDRESSES, LOBBY, publishAll, readAll, type MakeBroker } from '../support/broker.ts';
import { draft, from } from '../support/drafts.ts';

/** The behavior of reading from every implementation of Broker. */
export function brokerReadingContract(make: MakeBroker, share: number): void {
  test('read returns, page by page, the messages at the given addresses after a position and above the floors', async () => {
    const requests = fc.record({
      after: fc.nat(25),
      floors: fc.dictionary(fc.constantFrom(...ADDRESSES), fc.nat(25), { minKeys: 1 }),
      limit: fc.integer({ min: 1, max: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...ADDRESSES), { maxLength: 25, size: 'max' }),
        requests,
        async (published, request) => {
          await using made = await make();
          const { broker } = made;
          const log = await publishAll(broker, published);
          const addresses = new Map(Object.entries(request.floors)) as Map<Address, number>;
          const { messages, pages } = await readAll(broker, { ...request, addresses });
          expect(messages).toEqual(
            log.filter(({ address, logged }) => {
              const { sequence } = logged!;
              return sequence > request.after && sequence > (addresses.get(address) ?? Infinity);
            }),
          );
          for (const { messages: page, lost } of pages) {
            expect(page.length).toBeLessThanOrEqual(request.limit);
            expect(lost).toEqual([]);
          }
        },
      ),
      { numRuns: Math.ceil(60 * share) },
    );
  });

  test('read finds both messages of an address when thousands of messages at other addresses lie between them', async () => {
    await using made = await make();
    const { broker } = made;
    const log = await publishAll(broker, [
      LOBBY,
      ...Array<Address>(5_500).fill('channel:attic'),
      'identity:ada',
      LOBBY,
    ]);
    const wanted = log.filter(({ address }) => address !== 'channel:attic');
    const few = await readAll(broker, { addresses: from(LOBBY, 'identity:ada'), limit: 10 });
    expect(few.messages).toEqual(wanted);
    const one = await readAll(broker, { addresses: from(LOBBY), limit: 10 });
    expect(one.messages).toEqual(wanted.filter(({ address }) => address === LOBBY));
  });

  test('readBack returns the newest messages between two positions', async () => {
    const range = fc.record({ after: fc.nat(20), before: fc.nat(22), limit: fc.integer({ min: 1, max: 8 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...ADDRESSES.slice(0, 2)), { maxLength: 20, size: 'max' }),
        range,
        async (addresses, { limit, ...between }) => {
          await using made = await make();
          const { broker } = made;
          const log = await publishAll(broker, addresses);
          const within = log.filter(
            ({ address, logged }) =>
              address === LOBBY && logged!.sequence > between.after && logged!.sequence < between.before,
          );
          expect(await broker.readBack('one', LOBBY, between, limit)).toMatchObject({
            messages: within.slice(-limit),
            hasMore: within.length > limit,
          });
        },
      ),
      { numRuns: Math.ceil(60 * share) },
    );
  });

  test('read reports trimmed messages as lost only when they are within the requested range', async () => {
    await using made = await make();
    const { broker } = made;
    const log = await publishAll(broker, [LOBBY, 'channel:attic', LOBBY, LOBBY, 'channel:attic']);
    expect(await broker.trimmedThrough('one', LOBBY)).toBe(0);
    await made.trim('one', LOBBY, 1);
    expect(await broker.trimmedThrough('one', LOBBY)).toBe(3);
    expect(await broker.trimmedThrough('one', 'channel:attic')).toBe(0);
    expect(await broker.trimmedThrough('two', LOBBY)).toBe(0);

    const lost = async (after: number, addresses: Map<Address, number>) =>
      (await broker.read({ projectId: 'one', after, addresses, limit: 10 })).lost;
    const both = from(LOBBY, 'channel:attic');
    expect(await lost(0, both)).toEqual([LOBBY]);
    expect(await lost(2, both)).toEqual([LOBBY]);
    expect(await lost(3, both)).toEqual([]);
    expect(await lost(0, new Map(both).set(LOBBY, 2))).toEqual([LOBBY]);
    expect(await lost(0, new Map(both).set(LOBBY, 3))).toEqual([]);
    expect(await lost(0, from('channel:attic'))).toEqual([]);

    const kept = log.filter(({ logged }) => ![1, 3].includes(logged!.sequence));
    expect((await readAll(broker, { addresses: both })).messages).toEqual(kept);
    expect((await broker.readBack('one', LOBBY, { after: 0, before: 9 }, 9)).messages).toEqual([log[3]]);
  });

  test('expiredThrough returns the newest message outside the bounds that is not trimmed', async () => {
    const bounds = fc.record({
      keep: fc.option(fc.nat(6), { nil: undefined }),
      since: fc.option(fc.nat(20), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...ADDRESSES.slice(0, 2)), { maxLength: 20, size: 'max' }),
        bounds,
        fc.nat(22),
        async (addresses, { keep, since }, after) => {
          await using made = await make();
          const { broker } = made;
          const own: number[] = [];
          for (const [publishedAt, address] of addresses.entries()) {
            const { message } = await broker.publish(draft({ address, publishedAt }));
            if (address === LOBBY) own.push(message.logged!.sequence);
          }
          const isOutside = (sequence: number, index: number) =>
            (keep !== undefined && index < own.length - keep) ||
            (since !== undefined && sequence - 1 < since);
          const expired = Math.max(after, ...own.filter(isOutside));
          expect(await broker.expiredThrough('one', LOBBY, { keep, since }, after)).toBe(expired);
          await made.trim('one', LOBBY, keep ?? own.length);
          const remaining = await broker.expiredThrough('one', LOBBY, { keep, since }, after);
          expect(Math.max(remaining, await broker.trimmedThrough('one', LOBBY))).toBe(expired);
        },
      ),
      { numRuns: Math.ceil(60 * share) },
    );
  });

  test('a trim changes neither the head nor the previous sequence of the next message', async () => {
    await using made = await make();
    const { broker } = made;
    await publishAll(broker, [LOBBY, LOBBY]);
    await made.trim('one', LOBBY, 0);
    expect((await broker.head('one')).sequence).toBe(2);
    const { message } = await broker.publish(draft());
    expect(message.logged).toMatchObject({ sequence: 3, previous: 2 });
  });

  test('an empty log has sequence 0, and the epoch does not change with the first message', async () => {
    await using made = await make();
    const { broker } = made;
    const head = await broker.head('one');
    expect(head.sequence).toBe(0);
    const { message } = await broker.publish(draft());
    expect(await broker.head('one')).toEqual({ epoch: head.epoch, sequence: 1 });
    expect(message.logged?.epoch).toBe(head.epoch);
  });

  test('messages of one project are never read, counted or trimmed in another project', async () => {
    await using made = await make();
    const { broker } = made;
    await publishAll(broker, [LOBBY, LOBBY, LOBBY]);
    const other = await broker.publish(draft({ projectId: 'two' }));
    expect(other.message.logged).toMatchObject({ sequence: 1, previous: 0 });
    await made.trim('two', LOBBY, 0);
    expect(await broker.trimmedThrough('one', LOBBY)).toBe(0);
    expect((await readAll(broker, { addresses: from(LOBBY) })).messages).toHaveLength(3);
    const two = await broker.readBack('two', LOBBY, { after: 0, before: 9 }, 9);
    expect(two.messages).toEqual([]);
    expect((await broker.head('three')).sequence).toBe(0);
  });
}
