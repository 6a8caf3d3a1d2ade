import { describe, expect, test } from 'vitest';
import { type Broker } from '../../src/broker/broker.ts';
import { type Message } from '../../src/broker/message.ts';
import { ADDRESSES, LOBBY } from '../support/broker.ts';
import { draft, from, keyed } from '../support/drafts.ts';

/** The brokers of two nodes that share a log. */
export interface BrokersUnderTest extends AsyncDisposable {
  readonly a: Broker;
  readonly b: Broker;
  /** Begins or ends the loss of everything that the nodes send to each other beside the log. */
  loseHints(isOn: boolean): void;
}

/** Follows a project and records what a node delivers. */
async function follow(broker: Broker, projectId = 'one') {
  const received: Message[] = [];
  broker.listen({ deliver: (batch) => (received.push(...batch), batch.map(() => 1)) });
  await broker.follow(projectId);
  return received;
}

const sequencesOf = (messages: readonly Message[]) =>
  messages.flatMap(({ logged }) => logged?.sequence ?? []);

/** Each message names its predecessor at its address, and its ordinal there. */
function expectChains(messages: readonly Message[]): void {
  const last = new Map<string, { sequence: number; ordinal: number }>();
  for (const { address, logged } of messages) {
    const { sequence = 0, previous, ordinal = 0 } = logged ?? {};
    const before = last.get(address) ?? { sequence: 0, ordinal: 0 };
    expect({ previous, ordinal }).toEqual({ previous: before.sequence, ordinal: before.ordinal + 1 });
    last.set(address, { sequence, ordinal });
  }
}

/** The behavior of brokers of several nodes, besides that of each one. */
export function twoBrokersContract(name: string, make: () => Promise<BrokersUnderTest>): void {
  describe(`${name} of two nodes`, () => {
    test('both nodes deliver what both publish, in one order, each message once, with unbroken chains', async () => {
      await using made = await make();
      const { a, b } = made;
      const [atA, atB] = [await follow(a), await follow(b)];
      const publishing = Array.from({ length: 400 }, async (_, n) => {
        const address = ADDRESSES[n % 4] ?? LOBBY;
        const { message, connections } = await (n % 2 === 0 ? a : b).publish(draft({ address, data: { n } }));
        return { message, connections };
      });
      const published = await Promise.all(publishing);
      await expect.poll(() => [atA.length, atB.length]).toEqual([400, 400]);
      expect(sequencesOf(atA)).toEqual(Array.from({ length: 400 }, (_, n) => n + 1));
      expect(atB).toEqual(atA);
      expectChains(atA);
      expect(new Set(published.map(({ message }) => message.id)).size).toBe(400);
      expect(published.map(({ connections }) => connections)).toEqual(published.map(() => 1));
      expect(await b.head('one')).toEqual(await a.head('one'));
    });

    test('a message larger than a hint, and a batch of many, reach the other node whole', async () => {
      await using made = await make();
      const { a, b } = made;
      const atB = await follow(b);
      const data = 'é'.repeat(40_000);
      const { message } = await a.publish(draft({ data, bytes: 80_002 }));
      await expect.poll(() => atB).toEqual([message]);
    });

    test('ephemeral messages of 33 KB arrive in order and are not logged', async () => {
      await using made = await make();
      const { a, b } = made;
      const atB = await follow(b);
      const published = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          a.publish(draft({ ephemeral: true, data: `${n}${'x'.repeat(33_000)}`, bytes: 33_002 })),
        ),
      );
      await expect.poll(() => atB).toEqual(published.map(({ message }) => message));
      expect((await b.head('one')).sequence).toBe(0);
    });

    test('of two publishes with one idempotency key on two nodes, one is published (40 runs)', async () => {
      await using made = await make();
      const { a, b } = made;
      const atB = await follow(b);
      for (let run = 0; run < 40; run++) {
        const key = `key-${run}`;
        const [one, other] = await Promise.all([a.publish(keyed(key)), b.publish(keyed(key))]);
        expect([one.repeated, other.repeated].sort()).toEqual([false, true]);
        expect(one.message.id).toBe(other.message.id);
      }
      await expect.poll(() => atB.length).toBe(40);
      await expect(b.publish(keyed('key-1', { fingerprint: 'other' }))).rejects.toMatchObject({
        code: 'CONFLICT',
      });
    });

    test('the head is that of the log, so a message published after it was read is after it (30 runs)', async () => {
      await using made = await make();
      const { a, b } = made;
      for (let run = 0; run < 30; run++) {
        const [publisher, reader] = run % 2 === 0 ? [a, b] : [b, a];
        const before = await publisher.publish(draft());
        const { sequence } = await reader.head('one');
        const after = await publisher.publish(draft());
        expect(sequence).toBe(before.message.logged?.sequence);
        expect(after.message.logged?.sequence).toBe(sequence + 1);
        expect(await reader.holds('one', await publisher.head('one'))).toBe(true);
      }
    });

    test('a caller that follows, listens and then reads on one node misses nothing that the other publishes (15 runs)', async () => {
      await using made = await make();
      const { a, b } = made;
      for (let run = 0; run < 15; run++) {
        const projectId = `project-${run}`;
        const publishing = Array.from({ length: 6 }, () => a.publish(draft({ projectId })));
        const received = await follow(b, projectId);
        const { messages } = await b.read({ projectId, after: 0, addresses: from(LOBBY), limit: 100 });
        const published = await Promise.all(publishing);
        await expect
          .poll(
            () =>
              new Set(
                [...messages, ...received.filter((one) => one.projectId === projectId)].map(({ id }) => id),
              ),
          )
          .toEqual(new Set(published.map(({ message }) => message.id)));
      }
    });

    test('a message whose hint was lost is delivered soon, before the messages that follow it', async () => {
      await using made = await make();
      const { a, b } = made;
      const atB = await follow(b);
      made.loseHints(true);
      for (let n = 0; n < 3; n++) await a.publish(draft());
      await expect.poll(() => sequencesOf(atB)).toEqual([1, 2, 3]);
      await a.publish(draft());
      made.loseHints(false);
      await a.publish(draft());
      await expect.poll(() => sequencesOf(atB)).toEqual([1, 2, 3, 4, 5]);
      expectChains(atB);
    });
  });
}
