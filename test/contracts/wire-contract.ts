import { describe, expect, test } from 'vitest';
import { MAX_PAYLOAD_BYTES, type Wire } from '../../src/broker/wire.ts';

/** Two nodes that can reach each other. */
export interface WiresUnderTest extends AsyncDisposable {
  readonly a: Wire;
  readonly b: Wire;
}

/** Records what a wire receives. */
export function record(wire: Wire, kind = 'test') {
  const received: unknown[] = [];
  const from = new Set<string>();
  wire.listen(kind, (payload, fromNode) => {
    received.push(payload);
    from.add(fromNode);
  });
  return { received, from };
}

/** The behavior of every implementation of Wire. */
export function wireContract(name: string, make: () => Promise<WiresUnderTest>): void {
  describe(`${name} implements Wire`, () => {
    test('payloads of any size and text arrive once, in order, at the other node only', async () => {
      await using made = await make();
      const { a, b } = made;
      const [atA, atB] = [record(a), record(b)];
      const payloads = [
        null,
        'a|b\u0000\n\ud800',
        { text: '§€𝄞'.repeat(9000) },
        ...Array.from({ length: 300 }, (_, n) => n),
        'x'.repeat(600_000),
        [{ last: true }],
      ];
      for (const payload of payloads) {
        a.send('test', payload);
        // Some payloads share a transaction, others follow while one is in flight.
        if (payload === 100) await Promise.resolve();
      }
      b.send('test', 'back');
      await expect.poll(() => atB.received.length).toBe(payloads.length);
      await expect.poll(() => atA.received).toEqual(['back']);
      expect(atB.received).toEqual(payloads.map((payload) => JSON.parse(JSON.stringify(payload))));
      expect(atB.from.size).toBe(1);
      expect(atA.from).not.toEqual(atB.from);
    });

    test('a handler receives its kind only, until it is disposed; one that throws affects no other', async () => {
      await using made = await make();
      const { a, b } = made;
      b.listen('test', () => {
        throw new RangeError('on purpose');
      });
      const [every, other] = [record(b), record(b, 'other')];
      const once: unknown[] = [];
      const handler = b.listen('test', (payload) => {
        once.push(payload);
        handler[Symbol.dispose]();
      });
      a.send('nobody listens to this', 1);
      a.send('test', 1);
      a.send('other', 2);
      a.send('test', 3);
      await expect.poll(() => every.received).toEqual([1, 3]);
      expect(other.received).toEqual([2]);
      expect(once).toEqual([1]);
      expect(b.counts).toMatchObject({ received: 3, ignored: 1 });
    });

    test('a payload above the maximum is dropped and counted, and the next one arrives', async () => {
      await using made = await make();
      const { a, b } = made;
      const { received } = record(b);
      a.send('test', 'x'.repeat(MAX_PAYLOAD_BYTES));
      a.send('test', 'small');
      await expect.poll(() => received).toEqual(['small']);
      expect(a.counts).toMatchObject({ dropped: 1 });
    });
  });
}
