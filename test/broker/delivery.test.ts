import { expect, test } from 'vitest';
import { createDelivery } from '../../src/broker/delivery.ts';
import { type Message } from '../../src/broker/message.ts';

const message = (sequence: number): Message => ({
  projectId: 'one',
  id: `message-${sequence}`,
  address: 'channel:lobby',
  event: 'said',
  data: sequence,
  sender: { kind: 'API_KEY', tokenId: null, identity: null, connectionData: null },
  publishedAt: 0,
  logged: { epoch: 1, sequence, previous: sequence - 1, ordinal: sequence },
});

test('a node that may deliver again resets its listeners before the next message, even if no check of the suspension came between', () => {
  const happened: (string | number)[] = [];
  let mayDeliver = true;
  const onFault = (error: unknown) => expect.unreachable(String(error));
  const delivery = createDelivery(onFault, () => mayDeliver);
  delivery.listen({
    deliver(batch) {
      happened.push(...batch.map(({ logged }) => logged?.sequence ?? 0));
      return batch.map(() => 1);
    },
    reset: () => void happened.push('reset'),
  });
  void delivery.deliver([message(1)]);
  mayDeliver = false;
  void delivery.deliver([message(2)]);
  delivery.resetIfMissed();
  mayDeliver = true;
  void delivery.deliver([message(3)]);
  void delivery.deliver([message(4)]);
  expect(happened).toEqual([1, 'reset', 3, 4]);
});

test('a node that missed messages resets its listeners without a further message, once', () => {
  let resets = 0;
  let mayDeliver = false;
  const delivery = createDelivery(
    () => undefined,
    () => mayDeliver,
  );
  delivery.listen({ reset: () => (resets += 1) });
  void delivery.deliver([message(1)]);
  delivery.resetIfMissed();
  expect(resets).toBe(0);
  mayDeliver = true;
  delivery.resetIfMissed();
  delivery.resetIfMissed();
  expect(resets).toBe(1);
});

test('a batch ends at 64 KB of data', () => {
  const sizes: number[] = [];
  const delivery = createDelivery(() => undefined);
  delivery.listen({ deliver: (batch) => (sizes.push(batch.length), batch.map(() => 1)) });
  void delivery.deliver([1, 2, 3, 4].map((sequence) => ({ ...message(sequence), data: 'é'.repeat(20_000) })));
  expect(sizes).toEqual([2, 2]);
});

test('an ephemeral message that a suspended node did not deliver resets no listener, because it is not in the log', () => {
  let resets = 0;
  let mayDeliver = false;
  const delivery = createDelivery(
    () => undefined,
    () => mayDeliver,
  );
  delivery.listen({ reset: () => (resets += 1) });
  void delivery.deliver([{ ...message(1), logged: null }]);
  mayDeliver = true;
  delivery.resetIfMissed();
  expect(resets).toBe(0);
});
