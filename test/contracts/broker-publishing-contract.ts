import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Published } from '../../src/broker/broker.ts';
import { RightsChanged } from '../../src/broker/delivery.ts';
import { type Message } from '../../src/broker/message.ts';
import { SLICE_MS } from '../../src/slices.ts';
import { block } from '../support/block.ts';
import { ADDRESSES, listen, LOBBY, readAll, type MakeBroker } from '../support/broker.ts';
import { draft, from, keyed } from '../support/drafts.ts';

const PROJECTS = ['one', 'two'] as const;

/** The behavior of publishing to every implementation of Broker. */
export function brokerPublishingContract(make: MakeBroker, share: number): void {
  publishTests(make, share);
  idempotencyTests(make);
}

function publishTests(make: MakeBroker, share: number): void {
  test('a message is in the log and delivered to every listener when publish resolves', async () => {
    await using made = await make();
    const { broker } = made;
    const [first, second] = [listen(broker, 2), listen(broker, 3)];
    const { message, connections, repeated } = await broker.publish(draft({ data: { n: 1 } }));
    expect({ first: first.received, second: second.received }).toEqual({
      first: [message],
      second: [message],
    });
    expect({ connections, repeated }).toEqual({ connections: 5, repeated: false });
    expect(message).toMatchObject({ data: { n: 1 }, logged: { sequence: 1, previous: 0 } });
    expect((await readAll(broker, { addresses: from(LOBBY) })).messages).toEqual([message]);
  });

  test('refuses a message for a channel that was deleted since its publisher was authorized, also if another one has its id', async () => {
    await using made = await make();
    const { broker } = made;
    const { received } = listen(broker);
    const instances = [
      { createdAfter: 0, createdAt: 1, instance: null },
      { createdAfter: 1, createdAt: 1, instance: null },
      { createdAfter: 1, createdAt: 2, instance: 'first' },
      // Created again in the same millisecond, and nothing was published between.
      { createdAfter: 1, createdAt: 2, instance: 'second' },
    ];
    const delivered: Message[] = [];
    for (const current of [...instances, undefined]) {
      await made.setLobby(current);
      const publishing = instances.flatMap((channel, index) => [
        { isCurrent: channel === current, publish: broker.publish(draft({ channel })) },
        {
          isCurrent: channel === current,
          publish: broker.publish(
            keyed(`${index} of ${instances.indexOf(current as never)}`, { channel, ephemeral: true }),
          ),
        },
      ]);
      for (const { isCurrent, publish } of publishing) {
        if (isCurrent) delivered.push((await publish).message);
        else await expect(publish).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
    }
    expect(received).toEqual(delivered);
    expect(delivered.map(({ logged }) => logged && { ...logged, epoch: 0 })).toEqual([
      { epoch: 0, sequence: 1, previous: 0, ordinal: 1 },
      null,
      // The messages of an earlier instance are no predecessors.
      { epoch: 0, sequence: 2, previous: 0, ordinal: 1 },
      null,
      { epoch: 0, sequence: 3, previous: 2, ordinal: 2 },
      null,
      { epoch: 0, sequence: 4, previous: 3, ordinal: 3 },
      null,
    ]);
    expect((await broker.head('one')).sequence).toBe(4);
  });

  test('a publish whose publisher has lost rights while it waited is rejected, and the others are published', async () => {
    await using made = await make();
    const { broker } = made;
    let isStale = false;
    const publishes = [
      broker.publish(draft(), () => false),
      broker.publish(draft(), () => isStale),
      broker.publish(draft({ ephemeral: true }), () => isStale),
      broker.publish(draft()),
    ];
    isStale = true;
    const results = await Promise.allSettled(publishes);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(RightsChanged);
    expect((await broker.head('one')).sequence).toBe(2);
  });

  test('the log and the listeners have concurrent and sequential publishes in call order', async () => {
    const publish = fc.record({
      projectId: fc.constantFrom(...PROJECTS),
      address: fc.constantFrom(...ADDRESSES),
      ephemeral: fc.boolean(),
      data: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value))),
      waits: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(publish, { maxLength: 30, size: 'max' }), async (publishes) => {
        await using made = await make();
        const { broker } = made;
        const { received } = listen(broker);
        const calls: Promise<Published>[] = [];
        for (const { waits, ...over } of publishes) {
          calls.push(broker.publish(draft(over)));
          if (waits) await calls.at(-1);
        }
        const published = (await Promise.all(calls)).map(({ message }) => message);
        expect(published.map(({ data }) => data)).toEqual(publishes.map(({ data }) => data));
        for (const projectId of PROJECTS) {
          const inProject = published.filter((message) => message.projectId === projectId);
          const kept = inProject.filter(({ logged }) => logged !== null);
          expect(received.filter((message) => message.projectId === projectId)).toEqual(inProject);
          expect(kept.map(({ logged }) => logged?.sequence)).toEqual(kept.map((_, index) => index + 1));
          expect(kept.map(({ logged }) => logged?.previous)).toEqual(kept.map(previousIn(kept)));
          expect((await broker.head(projectId)).sequence).toBe(kept.length);
          expect((await readAll(broker, { projectId, addresses: from(...ADDRESSES) })).messages).toEqual(
            kept,
          );
        }
      }),
      { numRuns: Math.ceil(40 * share) },
    );
  });

  test('slow deliveries are divided among turns, in log order, and each publish resolves after its own', async () => {
    await using made = await make();
    const { broker } = made;
    const deliveries: { data: unknown; turn: number }[] = [];
    let turns = 0;
    using _ = broker.listen({
      deliver(batch) {
        block(SLICE_MS);
        deliveries.push(...batch.map(({ data }) => ({ data, turn: turns })));
        return [];
      },
    });
    const counting = setInterval(() => turns++, 0);
    const publish = async (number: number) => {
      const { message } = await broker.publish(
        draft({ data: number, address: ADDRESSES[number % 2] ?? LOBBY }),
      );
      expect(deliveries.map(({ data }) => data)).toContain(number);
      return message.logged?.sequence;
    };
    const first = Array.from({ length: 6 }, (_, number) => publish(number));
    await first[0];
    // Arrives while the messages before it are being delivered.
    const late = publish(6);
    expect(await Promise.all([...first, late])).toEqual([1, 2, 3, 4, 5, 6, 7]);
    clearInterval(counting);
    expect(deliveries.map(({ data }) => data)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(new Set(deliveries.map(({ turn }) => turn)).size).toBeGreaterThan(3);
  });

  test('an ephemeral message is delivered and not logged', async () => {
    await using made = await make();
    const { broker } = made;
    const { received } = listen(broker);
    const { message } = await broker.publish(draft({ ephemeral: true }));
    expect(message.logged).toBeNull();
    expect(received).toEqual([message]);
    expect((await broker.head('one')).sequence).toBe(0);
    expect((await readAll(broker, { addresses: from(LOBBY) })).messages).toEqual([]);
  });
}

function idempotencyTests(make: MakeBroker): void {
  test.each([true, false])(
    'a concurrent or later repeat returns the first message and publishes nothing (ephemeral: %s)',
    async (ephemeral) => {
      await using made = await make();
      const { broker } = made;
      const { received } = listen(broker);
      const over = { ephemeral, data: { deep: ['as', { it: 'was' }] } };
      const [first, atOnce] = await Promise.all([
        broker.publish(keyed('k', over)),
        broker.publish(keyed('k', over)),
      ]);
      const later = await broker.publish(keyed('k', over));
      expect(first.repeated).toBe(false);
      expect(atOnce).toEqual({ message: first.message, connections: 0, repeated: true });
      expect(later).toEqual(atOnce);
      expect(received).toEqual([first.message]);
      expect((await broker.head('one')).sequence).toBe(ephemeral ? 0 : 1);
    },
  );

  test('publish fails with CONFLICT when its key was used for another message, without affecting other publishes', async () => {
    await using made = await make();
    const { broker } = made;
    const { received } = listen(broker);
    const outcomes = await Promise.allSettled([
      broker.publish(keyed('k')),
      broker.publish(keyed('k', { fingerprint: 'other' })),
      broker.publish(draft({ event: 'beside' })),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'CONFLICT' } },
      { status: 'fulfilled', value: { message: { logged: { sequence: 2, previous: 1 } } } },
    ]);
    expect(received.map(({ event }) => event)).toEqual(['message', 'beside']);
    await expect(broker.publish(keyed('k', { fingerprint: 'other' }))).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  test('an idempotency key can be reused for another message when it has expired', async () => {
    await using made = await make();
    const { broker } = made;
    const first = keyed('k');
    await broker.publish(first);
    const { expiresAt } = first.idempotency!;
    const again = (publishedAt: number, fingerprint: string) =>
      broker.publish({
        ...draft({ publishedAt }),
        idempotency: { key: 'k', fingerprint, expiresAt: publishedAt + 1000 },
      });
    expect(await again(expiresAt - 1, 'same')).toMatchObject({ repeated: true });
    expect(await again(expiresAt, 'other')).toMatchObject({ repeated: false });
    expect(await again(expiresAt, 'other')).toMatchObject({ repeated: true });
  });

  test('publishes with different keys or in different projects are not repeats', async () => {
    await using made = await make();
    const { broker } = made;
    await broker.publish(keyed('k'));
    const others = [keyed('K'), keyed('k', { projectId: 'two', fingerprint: 'other' })];
    for (const other of others) expect(await broker.publish(other)).toMatchObject({ repeated: false });
  });
}

/** The sequence number of the previous message at the same address; 0 for the first. */
function previousIn(kept: readonly Message[]) {
  return ({ address }: Message, index: number) =>
    kept.slice(0, index).findLast((before) => before.address === address)?.logged?.sequence ?? 0;
}
