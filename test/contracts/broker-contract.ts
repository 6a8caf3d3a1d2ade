import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Published } from '../../src/broker/broker.ts';
import { type Message } from '../../src/broker/message.ts';
import { type Signal } from '../../src/broker/signal.ts';
import { listen, LOBBY, readAll, type MakeBroker } from '../support/broker.ts';
import { draft, from } from '../support/drafts.ts';
import { brokerPublishingContract } from './broker-publishing-contract.ts';
import { brokerReadingContract } from './broker-reading-contract.ts';

/**
 * The behavior of every implementation of Broker.
 * @param share the share of the random runs, for an implementation whose runs take longer. Default: 1
 */
export function brokerContract(name: string, make: MakeBroker, share = 1): void {
  describe(`${name} implements Broker`, () => {
    brokerPublishingContract(make, share);
    brokerReadingContract(make, share);
    listenerTests(make, share);
  });
}

function listenerTests(make: MakeBroker, share: number): void {
  test('a caller that listens and then reads misses no message, whenever it starts', async () => {
    const bursts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8, size: 'max' });
    await fc.assert(
      fc.asyncProperty(bursts, fc.nat(), fc.boolean(), async (sizes, seed, waits) => {
        await using made = await make();
        const { broker } = made;
        const attachAt = seed % sizes.length;
        const calls: Promise<Published>[] = [];
        let received: Message[] = [];
        let read: ReturnType<typeof readAll> | undefined;
        for (const [index, size] of sizes.entries()) {
          for (let nth = 0; nth < size; nth++) calls.push(broker.publish(draft()));
          if (index !== attachAt) continue;
          if (waits) await calls.at(-1);
          ({ received } = listen(broker));
          read = readAll(broker, { addresses: from(LOBBY), limit: 3 });
        }
        const published = (await Promise.all(calls)).map(({ message }) => message.id);
        const { messages } = await read!;
        expect(new Set([...messages, ...received].map(({ id }) => id))).toEqual(new Set(published));
      }),
      { numRuns: Math.ceil(40 * share) },
    );
  });

  test('a disposed listener receives nothing more, while other listeners do', async () => {
    await using made = await make();
    const { broker } = made;
    const [disposed, active] = [listen(broker), listen(broker)];
    disposed.stop();
    const { connections } = await broker.publish(draft());
    await broker.control(SIGNAL);
    expect(connections).toBe(1);
    expect([disposed.received, disposed.signals]).toEqual([[], []]);
    expect([active.received.length, active.signals.length]).toEqual([1, 1]);
  });

  test('a listener that throws affects neither the other listeners nor the publisher', async () => {
    await using made = await make();
    const { broker } = made;
    const before = listen(broker);
    broker.listen({ deliver: fail, applySignal: fail });
    const after = listen(broker);
    const { message, connections } = await broker.publish(draft());
    expect(connections).toBe(2);
    expect(await broker.control(SIGNAL)).toBe(2);
    for (const { received, signals } of [before, after])
      expect({ received, signals }).toEqual({ received: [message], signals: [SIGNAL] });
    expect(made.faults).toEqual([new RangeError('on purpose'), new RangeError('on purpose')]);
  });

  test('control resolves after every listener applied the signal, to the number of affected connections', async () => {
    await using made = await make();
    const { broker } = made;
    expect(await broker.control(SIGNAL)).toBe(0);
    const listeners = [listen(broker, 2), listen(broker, 0), listen(broker, 40)];
    expect(await broker.control(SIGNAL)).toBe(42);
    for (const { signals } of listeners) expect(signals).toEqual([SIGNAL]);
  });

  test('announce executes the write, then applies the signals of its result in order', async () => {
    await using made = await make();
    const { broker } = made;
    const { signals } = listen(broker, 3);
    const announced = ['one', 'two'].map((channelId): Signal => ({ ...SIGNAL, channelId }));
    const written = async () => [...announced];
    expect(await broker.announce(written, (result) => result)).toEqual({ result: announced, connections: 6 });
    expect(signals).toEqual(announced);
    expect(await broker.announce(written, () => undefined)).toEqual({ result: announced, connections: 0 });
    expect(signals).toEqual(announced);
  });

  test('announce applies nothing when the write fails', async () => {
    await using made = await make();
    const { broker } = made;
    const { signals } = listen(broker);
    const failed = async () => Promise.reject(new RangeError('on purpose'));
    await expect(broker.announce(failed, () => SIGNAL)).rejects.toThrow('on purpose');
    await broker.control({ ...SIGNAL, channelId: 'next' });
    expect(signals).toEqual([{ ...SIGNAL, channelId: 'next' }]);
  });
}

const SIGNAL = { kind: 'CHANNEL_DELETED', projectId: 'one', channelId: 'lobby' } satisfies Signal;

const fail = () => {
  throw new RangeError('on purpose');
};
