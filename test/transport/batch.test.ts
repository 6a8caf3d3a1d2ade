import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Batch } from '../../src/transport/batch.ts';
import { OperationIds } from '../../src/transport/operation-id.ts';

const frames = ['one', 'two', 'three', ''].map((text) => Buffer.from(text));

/** Which socket is sent which frame, in order; null: the turn ends. */
const sends = fc.array(
  fc.option(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: frames.length - 1 }))),
  { maxLength: 60 },
);

test('each socket gets its own frames in their order, whatever it shares with others', () => {
  fc.assert(
    fc.property(sends, (steps) => {
      let batches = new Map<number, Batch>();
      let expected = new Map<number, Buffer[]>();
      for (const step of [...steps, null]) {
        if (step) {
          const [socket, index] = step;
          batches.set(socket, Batch.of(batches.get(socket), frames[index]!));
          expected.set(socket, [...(expected.get(socket) ?? []), frames[index]!]);
          continue;
        }
        for (const [socket, batch] of batches) {
          const bytes = Buffer.concat(expected.get(socket)!);
          expect(batch.bytes.equals(bytes)).toBe(true);
          expect(batch.byteLength).toBe(bytes.length);
        }
        [batches, expected] = [new Map(), new Map()];
        Batch.forget();
      }
    }),
    { numRuns: 500 },
  );
});

test('sockets that are sent the same share its bytes', () => {
  const [one, two] = [0, 1].map(() => {
    return frames.reduce<Batch | undefined>((batch, frame) => Batch.of(batch, frame), undefined)!;
  });
  expect(two!.bytes).toBe(one!.bytes);
  Batch.forget();
});

test('operations of one id share the frame of a result, and one that is alone keeps none', () => {
  const ids = new OperationIds();
  const payload = Buffer.from('{}}');
  const alone = ids.take('1');
  expect(alone.frameOf(payload)).not.toBe(alone.frameOf(payload));
  expect(ids.take('1')).toBe(alone);
  expect(alone.frameOf(payload)).toBe(alone.frameOf(payload));
  expect(alone.frameOf(Buffer.from('{}}'))).not.toBe(alone.frameOf(payload));
  ids.release(alone);
  ids.release(alone);
  expect(ids.take('1')).not.toBe(alone);
});
