import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Broker, type Published } from '../../src/broker/broker.ts';
import { type Message } from '../../src/broker/message.ts';
import { type Signal } from '../../src/broker/signal.ts';
import { ADDRESSES, LOBBY, readAll, type MakeBroker } from '../support/broker.ts';
import { draft, from, keyed } from '../support/drafts.ts';
import { brokerReadingContract } from './broker-reading-contract.ts';

const PROJECTS = ['one', 'two'] as const;

/** What every broker does; see Broker. */
export function brokerContract(name: string, make: MakeBroker): void {
  describe(`${name} is a broker`, () => {
    publishing(make);
    repeating(make);
    brokerReadingContract(make);
    telling(make);
  });
}

function publishing(make: MakeBroker): void {
  test('a publish that resolved is in the log, and every listener there was has been handed it', async () => {
    await using made = await make();
    const { broker } = made;
    const [first, second] = [listen(broker, 2), listen(broker, 3)];
    const { message, connections, repeated } = await broker.publish(draft({ data: { n: 1 } }));
    expect({ first: first.heard, second: second.heard }).toEqual({ first: [message], second: [message] });
    expect({ connections, repeated }).toEqual({ connections: 5, repeated: false });
    expect(message).toMatchObject({ data: { n: 1 }, logged: { sequence: 1, previous: 0 } });
    expect((await readAll(broker, { addresses: from(LOBBY) })).messages).toEqual([message]);
  });

  test('whatever is published at once or in turn, log and listeners have it in the order of the calls', async () => {
    const publish = fc.record({
      projectId: fc.constantFrom(...PROJECTS),
      address: fc.constantFrom(...ADDRESSES),
      ephemeral: fc.boolean(),
      data: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value))),
      waits: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(publish, { maxLength: 30, size: 'max' }), async (plan) => {
        await using made = await make();
        const { broker } = made;
        const { heard } = listen(broker);
        const calls: Promise<Published>[] = [];
        for (const { waits, ...over } of plan) {
          calls.push(broker.publish(draft(over)));
          if (waits) await calls.at(-1);
        }
        const said = (await Promise.all(calls)).map(({ message }) => message);
        expect(said.map(({ data }) => data)).toEqual(plan.map(({ data }) => data));
        for (const projectId of PROJECTS) {
          const inProject = said.filter((message) => message.projectId === projectId);
          const kept = inProject.filter(({ logged }) => logged !== null);
          expect(heard.filter((message) => message.projectId === projectId)).toEqual(inProject);
          expect(kept.map(({ logged }) => logged?.sequence)).toEqual(kept.map((_, index) => index + 1));
          expect(kept.map(({ logged }) => logged?.previous)).toEqual(kept.map(previousIn(kept)));
          expect((await broker.head(projectId)).sequence).toBe(kept.length);
          expect((await readAll(broker, { projectId, addresses: from(...ADDRESSES) })).messages).toEqual(
            kept,
          );
        }
      }),
      { numRuns: 40 },
    );
  });

  test('what is ephemeral is heard, and leaves no trace in the log', async () => {
    await using made = await make();
    const { broker } = made;
    const { heard } = listen(broker);
    const { message } = await broker.publish(draft({ ephemeral: true }));
    expect(message.logged).toBeNull();
    expect(heard).toEqual([message]);
    expect((await broker.head('one')).sequence).toBe(0);
    expect((await readAll(broker, { addresses: from(LOBBY) })).messages).toEqual([]);
  });
}

function repeating(make: MakeBroker): void {
  test.each([true, false])(
    'a repeat yields the first message and says nothing again, at once or later; ephemeral: %s',
    async (ephemeral) => {
      await using made = await make();
      const { broker } = made;
      const { heard } = listen(broker);
      const over = { ephemeral, data: { deep: ['as', { it: 'was' }] } };
      const [first, atOnce] = await Promise.all([
        broker.publish(keyed('k', over)),
        broker.publish(keyed('k', over)),
      ]);
      const later = await broker.publish(keyed('k', over));
      expect(first.repeated).toBe(false);
      expect(atOnce).toEqual({ message: first.message, connections: 0, repeated: true });
      expect(later).toEqual(atOnce);
      expect(heard).toEqual([first.message]);
      expect((await broker.head('one')).sequence).toBe(ephemeral ? 0 : 1);
    },
  );

  test('a key that was used for something else is a conflict, which harms nobody beside it', async () => {
    await using made = await make();
    const { broker } = made;
    const { heard } = listen(broker);
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
    expect(heard.map(({ event }) => event)).toEqual(['said', 'beside']);
    await expect(broker.publish(keyed('k', { fingerprint: 'other' }))).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  test('a key holds until its time is over, then it may be used for anything', async () => {
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

  test('other keys and other projects are other publishes', async () => {
    await using made = await make();
    const { broker } = made;
    await broker.publish(keyed('k'));
    const others = [keyed('K'), keyed('k', { projectId: 'two', fingerprint: 'other' })];
    for (const other of others) expect(await broker.publish(other)).toMatchObject({ repeated: false });
  });
}

function telling(make: MakeBroker): void {
  test('whoever listens first and then reads misses nothing, whenever that is', async () => {
    const bursts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8, size: 'max' });
    await fc.assert(
      fc.asyncProperty(bursts, fc.nat(), fc.boolean(), async (sizes, chance, waits) => {
        await using made = await make();
        const { broker } = made;
        const attachAt = chance % sizes.length;
        const calls: Promise<Published>[] = [];
        let heard: Message[] = [];
        let read: ReturnType<typeof readAll> | undefined;
        for (const [index, size] of sizes.entries()) {
          for (let nth = 0; nth < size; nth++) calls.push(broker.publish(draft()));
          if (index !== attachAt) continue;
          if (waits) await calls.at(-1);
          ({ heard } = listen(broker));
          read = readAll(broker, { addresses: from(LOBBY), limit: 3 });
        }
        const said = (await Promise.all(calls)).map(({ message }) => message.id);
        const { messages } = await read!;
        expect(new Set([...messages, ...heard].map(({ id }) => id))).toEqual(new Set(said));
      }),
      { numRuns: 40 },
    );
  });

  test('a listener that was disposed hears nothing more; the others do', async () => {
    await using made = await make();
    const { broker } = made;
    const [gone, there] = [listen(broker), listen(broker)];
    gone.stop();
    const { connections } = await broker.publish(draft());
    await broker.control(SIGNAL);
    expect(connections).toBe(1);
    expect([gone.heard, gone.signals]).toEqual([[], []]);
    expect([there.heard.length, there.signals.length]).toEqual([1, 1]);
  });

  test('a listener that fails takes nothing from the others, nor from whoever said it', async () => {
    await using made = await make();
    const { broker } = made;
    const before = listen(broker);
    broker.listen({ deliver: fail, applySignal: fail });
    const after = listen(broker);
    const { message, connections } = await broker.publish(draft());
    expect(connections).toBe(2);
    expect(await broker.control(SIGNAL)).toBe(2);
    for (const { heard, signals } of [before, after])
      expect({ heard, signals }).toEqual({ heard: [message], signals: [SIGNAL] });
    expect(made.faults).toEqual([new RangeError('on purpose'), new RangeError('on purpose')]);
  });

  test('a signal has reached every listener when it resolves, to the connections that felt it', async () => {
    await using made = await make();
    const { broker } = made;
    expect(await broker.control(SIGNAL)).toBe(0);
    const listeners = [listen(broker, 2), listen(broker, 0), listen(broker, 40)];
    expect(await broker.control(SIGNAL)).toBe(42);
    for (const { signals } of listeners) expect(signals).toEqual([SIGNAL]);
  });
}

const SIGNAL: Signal = { kind: 'CHANNEL_DELETED', projectId: 'one', channelId: 'lobby' };

const fail = () => {
  throw new RangeError('on purpose');
};

/** Listens on behalf of so many connections. */
function listen(broker: Broker, connections = 1) {
  const heard: Message[] = [];
  const signals: Signal[] = [];
  const listening = broker.listen({
    deliver(run) {
      heard.push(...run);
      return run.map(() => connections);
    },
    applySignal(signal) {
      signals.push(signal);
      return connections;
    },
  });
  return { heard, signals, stop: () => listening[Symbol.dispose]() };
}

/** The sequence before each one at its address; 0 for the first. */
function previousIn(kept: readonly Message[]) {
  return ({ address }: Message, index: number) =>
    kept.slice(0, index).findLast((before) => before.address === address)?.logged?.sequence ?? 0;
}
