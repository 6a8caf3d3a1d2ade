import fc from 'fast-check';
import { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import { type Batch } from '../../src/batch.ts';
import { ResultCache } from '../../src/transport/result-cache.ts';
import { SerializedResults } from '../../src/transport/serialized-results.ts';
import { OperationId } from '../../src/transport/operation-id.ts';
import { type PublicError } from '../../src/transport/public-errors.ts';
import { readFrames } from '../support/read-frames.ts';
import { numbers } from '../support/publish.ts';

const publicError: PublicError = (error) =>
  error instanceof GraphQLError ? error : new GraphQLError(String(error));
const serialize = (values: readonly unknown[]) =>
  new SerializedResults(
    values.map((value) => ({ data: { value } })),
    publicError,
  );

const UUIDS = ['6f2a4c1e-91ab-4a0b-8d2b-111111111111', '6f2a4c1e-91ab-4a0b-8d2b-222222222222'];
/** Ids with equal lengths in bytes of JSON or only in characters, and ids that JSON escapes. */
const IDS = [
  ...['1', '2', '3', '10', '11', '', '"', '\\', '\n', 'é', '😀', 'ab', '"é"', '\u2028', '\u0000', '\ud800'],
  ...UUIDS,
  ...['x'.repeat(61), 'x'.repeat(62), `${'x'.repeat(61)}y`, 'x'.repeat(63), 'y'.repeat(63), 'x'.repeat(200)],
];
const id = fc.oneof(
  { arbitrary: fc.constantFrom('1', '2', '3', ...UUIDS), weight: 2 },
  { arbitrary: fc.constantFrom(...IDS), weight: 2 },
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }), weight: 1 },
);

/** Values, some with a length around which the header of a frame grows, for any id. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).map((json): unknown => JSON.parse(JSON.stringify(json))),
  fc.string({ unit: 'grapheme' }),
  fc.integer({ min: 20, max: 130 }).map((length) => 'x'.repeat(length)),
  fc.integer({ min: 65_400, max: 65_536 }).map((length) => 'x'.repeat(length)),
);

/** One call of `bytesFor`: whether the socket holds the bytes, and whether the id is a new object. */
const call = fc.record({ id, isHeld: fc.boolean(), isNew: fc.boolean() });

/** The messages that a client with this id should read. */
const messagesFor = (id: string, values: readonly unknown[]) =>
  values.map((one) => ({ id, type: 'next', payload: { data: { value: one } } }));

test('bytesFor() returns frames with the requested id, and held bytes never change (200 scenarios)', async () => {
  const scenario = fc.record({
    values: fc.array(value, { minLength: 1, maxLength: 4 }),
    calls: fc.array(call, { minLength: 1, maxLength: 20, size: 'max' }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ values, calls }) => {
      const results = serialize(values);
      const ids = new Map<string, OperationId>();
      const held: { bytes: Buffer; before: Buffer }[] = [];
      const returned: Buffer[] = [];
      for (const { id: text, isHeld, isNew } of calls) {
        const operationId = (isNew ? undefined : ids.get(text)) ?? new OperationId(text);
        ids.set(text, operationId);
        const frames = results.framesFor(operationId);
        const bytes = frames.bytesFor(operationId);
        expect(bytes.length).toBe(frames.byteLength);
        // A copy, because the kernel takes these bytes now and the next call may overwrite them.
        returned.push(Buffer.from(bytes));
        if (!isHeld) continue;
        frames.hold();
        held.push({ bytes, before: Buffer.from(bytes) });
      }
      for (const { bytes, before } of held) expect(bytes.equals(before)).toBe(true);
      const read = await Promise.all(returned.map((bytes) => readFrames([bytes])));
      calls.forEach(({ id: text }, index) => expect(read[index]).toEqual(messagesFor(text, values)));
    }),
    { numRuns: 200 },
  );
});

test('errors are converted by publicError and sent beside the data', async () => {
  const results = new SerializedResults(
    [{ data: { value: null }, errors: [new GraphQLError('secret')] }],
    () => new GraphQLError('Something went wrong.', { extensions: { code: 'INTERNAL_SERVER_ERROR' } }),
  );
  const operationId = new OperationId('1');
  expect(await readFrames([results.framesFor(operationId).bytesFor(operationId)])).toEqual([
    {
      id: '1',
      type: 'next',
      payload: {
        data: { value: null },
        errors: [{ message: 'Something went wrong.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
      },
    },
  ]);
});

test('ids of one length share the same memory until it is held', () => {
  const results = serialize(['hello']);
  const [one, two, three] = ['1', '2', '3'].map((text) => new OperationId(text)) as [
    OperationId,
    OperationId,
    OperationId,
  ];
  const frames = results.framesFor(one);
  const bytes = frames.bytesFor(one);
  expect(results.framesFor(two)).toBe(frames);
  expect(frames.bytesFor(two)).toBe(bytes);
  frames.hold();
  // Holding does not matter for the same id.
  expect(frames.bytesFor(two)).toBe(bytes);
  const others = frames.bytesFor(three);
  expect(others).not.toBe(bytes);
  expect(frames.bytesFor(one)).toBe(others);
});

const ofLength = (length: number) => new OperationId('x'.repeat(length - 2));

test('framesFor() caches frames for the four latest id lengths, but not for long ids', () => {
  const results = serialize(['hello']);
  const lengths = [3, 4, 5, 6, 7, 38];
  const firstFrames = new Map(lengths.map((length) => [length, results.framesFor(ofLength(length))]));
  for (const length of [38, 7, 6, 5, 38])
    expect(results.framesFor(ofLength(length))).toBe(firstFrames.get(length));
  for (const length of [4, 3]) expect(results.framesFor(ofLength(length))).not.toBe(firstFrames.get(length));

  const longest = results.framesFor(ofLength(64));
  for (const length of [65, 66, 67, 200]) {
    const long = results.framesFor(ofLength(length));
    expect(results.framesFor(ofLength(length))).not.toBe(long);
  }
  // Long ids do not evict cached frames.
  expect(results.framesFor(ofLength(64))).toBe(longest);
});

test('the result cache evicts the oldest results, and counts an overhead for small ones', () => {
  const cache = new ResultCache(2 ** 20);
  const evicted: number[] = [];
  // The cache refers to the owner and to the batches weakly.
  const owner = { evict: (batch: Batch<unknown>) => evicted.push(batch[0] as number) };
  const batches: Batch<unknown>[] = [];
  const add = (number: number, text: string) => {
    const batch: Batch<unknown> = [number];
    batches.push(batch);
    const bytes = serialize([text]).estimatedBytes;
    cache.add({ bytes, owner: new WeakRef(owner), batch: new WeakRef(batch) });
  };
  for (const number of numbers(10_000)) add(number, 'hello');
  // Each entry counts the memory of its objects, not only its few bytes.
  const kept = 10_000 - evicted.length;
  expect(kept).toBeGreaterThan(100);
  expect(kept).toBeLessThan(1100);
  expect(evicted).toEqual(numbers(evicted.length));
  // An entry that exceeds the whole limit evicts everything, including itself.
  add(10_000, 'x'.repeat(2 ** 20));
  expect(evicted).toEqual(numbers(batches.length));
});
