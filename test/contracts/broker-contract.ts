import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Broker, type Published } from '../../src/broker/broker.ts';
import { type LogPage, type ReadRequest } from '../../src/broker/log.ts';
import { type Address, type Message } from '../../src/broker/message.ts';
import { type Signal } from '../../src/broker/signal.ts';
import { draft, from, keyed } from '../support/drafts.ts';

/** A broker whose log is empty. */
export interface BrokerUnderTest extends AsyncDisposable {
  readonly broker: Broker;
  /** What went wrong that was nobody's fault who asked. */
  readonly faults: readonly unknown[];
  /** Retention: removes all but the newest `keep` messages of an address. */
  trim(projectId: string, address: Address, keep: number): Promise<void>;
}

const LOBBY = 'channel:lobby';
const ADDRESSES = [LOBBY, 'channel:attic', 'token:token_1', 'identity:ada'] as const satisfies Address[];
const PROJECTS = ['one', 'two'] as const;

/** What every broker does; see Broker. */
export function brokerContract(name: string, make: () => BrokerUnderTest | Promise<BrokerUnderTest>): void {
  describe(`${name} is a broker`, () => {
    publishing(make);
    repeating(make);
    reading(make);
    telling(make);
  });
}

type Make = Parameters<typeof brokerContract>[1];

function publishing(make: Make): void {
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

function repeating(make: Make): void {
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

function reading(make: Make): void {
  test('reads, page after page, are what the log holds after a place, above the floors, of these addresses', async () => {
    const request = fc.record({
      after: fc.nat(25),
      floors: fc.dictionary(fc.constantFrom(...ADDRESSES), fc.nat(25), { minKeys: 1 }),
      limit: fc.integer({ min: 1, max: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...ADDRESSES), { maxLength: 25, size: 'max' }),
        request,
        async (said, asked) => {
          await using made = await make();
          const { broker } = made;
          const log = await publishAll(broker, said);
          const addresses = new Map(Object.entries(asked.floors)) as Map<Address, number>;
          const { messages, pages } = await readAll(broker, { ...asked, addresses });
          expect(messages).toEqual(
            log.filter(({ address, logged }) => {
              const { sequence } = logged!;
              return sequence > asked.after && sequence > (addresses.get(address) ?? Infinity);
            }),
          );
          for (const { messages: page, lost } of pages) {
            expect(page.length).toBeLessThanOrEqual(asked.limit);
            expect(lost).toEqual([]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('two messages of an address are both read, however much was said elsewhere between them', async () => {
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

  test('backwards, a read is the newest of what lies between two places', async () => {
    const range = fc.record({ after: fc.nat(20), before: fc.nat(22), limit: fc.integer({ min: 1, max: 8 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...ADDRESSES.slice(0, 2)), { maxLength: 20, size: 'max' }),
        range,
        async (said, { limit, ...between }) => {
          await using made = await make();
          const { broker } = made;
          const log = await publishAll(broker, said);
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
      { numRuns: 60 },
    );
  });

  test('what was trimmed is lost to whoever still wants it, and to nobody else', async () => {
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

  test('a trim takes nothing back: head and links go on as if it had not been', async () => {
    await using made = await make();
    const { broker } = made;
    await publishAll(broker, [LOBBY, LOBBY]);
    await made.trim('one', LOBBY, 0);
    expect((await broker.head('one')).sequence).toBe(2);
    const { message } = await broker.publish(draft());
    expect(message.logged).toMatchObject({ sequence: 3, previous: 2 });
  });

  test('a log is at 0 before its first message, and its epoch stays', async () => {
    await using made = await make();
    const { broker } = made;
    const head = await broker.head('one');
    expect(head.sequence).toBe(0);
    const { message } = await broker.publish(draft());
    expect(await broker.head('one')).toEqual({ epoch: head.epoch, sequence: 1 });
    expect(message.logged?.epoch).toBe(head.epoch);
  });

  test('projects are walls: nothing of one is read, counted or trimmed in another', async () => {
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

function telling(make: Make): void {
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
    broker.listen({ message: fail, signal: fail });
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
    message(message) {
      heard.push(message);
      return connections;
    },
    signal(signal) {
      signals.push(signal);
      return connections;
    },
  });
  return { heard, signals, stop: () => listening[Symbol.dispose]() };
}

/** Says something at each address, in turn; yields the log. */
async function publishAll(broker: Broker, addresses: readonly Address[]): Promise<Message[]> {
  const published = await Promise.all(addresses.map((address) => broker.publish(draft({ address }))));
  return published.map(({ message }) => message);
}

/** Reads on until there is no more. Every page must get further, so that reading ends. */
async function readAll(broker: Broker, asked: Partial<ReadRequest> & Pick<ReadRequest, 'addresses'>) {
  const messages: Message[] = [];
  const pages: LogPage[] = [];
  let after = asked.after ?? 0;
  for (;;) {
    const page = await broker.read({ projectId: 'one', limit: 4, ...asked, after });
    messages.push(...page.messages);
    pages.push(page);
    if (!page.hasMore) return { messages, pages };
    expect(page.through).toBeGreaterThan(after);
    after = page.through;
  }
}

/** The sequence before each one at its address; 0 for the first. */
function previousIn(kept: readonly Message[]) {
  return ({ address }: Message, index: number) =>
    kept.slice(0, index).findLast((before) => before.address === address)?.logged?.sequence ?? 0;
}
