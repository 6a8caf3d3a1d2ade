import fc from 'fast-check';
import { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import { SerializedResults, ResultCache } from '../../src/transport/serialized-results.ts';
import { OperationId } from '../../src/transport/operation-id.ts';
import { type PublicError } from '../../src/transport/public-errors.ts';
import { readFrames } from '../support/read-frames.ts';
import { numbers } from '../support/publish.ts';

const publicError: PublicError = (error) =>
  error instanceof GraphQLError ? error : new GraphQLError(String(error));
const executedOf = (all: readonly unknown[]) =>
  new SerializedResults(
    all.map((said) => ({ data: { said } })),
    publicError,
  );

const UUIDS = ['6f2a4c1e-91ab-4a0b-8d2b-111111111111', '6f2a4c1e-91ab-4a0b-8d2b-222222222222'];
/** Several of one length, in bytes of JSON or only in characters, and some that JSON writes otherwise. */
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

/** With lengths at which the header of a frame gets longer, whatever the id. */
const said = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value))),
  fc.string({ unit: 'grapheme' }),
  fc.integer({ min: 20, max: 130 }).map((length) => 'x'.repeat(length)),
  fc.integer({ min: 65_400, max: 65_536 }).map((length) => 'x'.repeat(length)),
);

/** Somebody asks for the bytes; whether its socket goes on reading them, and whether the id was in use before. */
const asking = fc.record({ id, isHeld: fc.boolean(), isNew: fc.boolean() });

/** What a client of this id should read. */
const messagesFor = (text: string, all: readonly unknown[]) =>
  all.map((one) => ({ id: text, type: 'next', payload: { data: { said: one } } }));

test('each is handed what a client of its id should read, and what is held never changes', async () => {
  const scene = fc.record({
    all: fc.array(said, { minLength: 1, maxLength: 4 }),
    askings: fc.array(asking, { minLength: 1, maxLength: 20, size: 'max' }),
  });
  await fc.assert(
    fc.asyncProperty(scene, async ({ all, askings }) => {
      const executed = executedOf(all);
      const ids = new Map<string, OperationId>();
      const held: { bytes: Buffer; before: Buffer }[] = [];
      const handed: Buffer[] = [];
      for (const { id: text, isHeld, isNew } of askings) {
        const operationId = (isNew ? undefined : ids.get(text)) ?? new OperationId(text);
        ids.set(text, operationId);
        const frames = executed.framesFor(operationId);
        const bytes = frames.bytesFor(operationId);
        expect(bytes.length).toBe(frames.byteLength);
        // The kernel has taken all of it by now, or reads the rest later.
        handed.push(Buffer.from(bytes));
        if (!isHeld) continue;
        frames.hold();
        held.push({ bytes, before: Buffer.from(bytes) });
      }
      for (const { bytes, before } of held) expect(bytes.equals(before)).toBe(true);
      const read = await Promise.all(handed.map((bytes) => readFrames([bytes])));
      askings.forEach(({ id: text }, index) => expect(read[index]).toEqual(messagesFor(text, all)));
    }),
    { numRuns: 200 },
  );
});

test('errors are shown beside what there is, as the public may see them', async () => {
  const executed = new SerializedResults(
    [{ data: { said: null }, errors: [new GraphQLError('secret')] }],
    () => new GraphQLError('Something went wrong.', { extensions: { code: 'INTERNAL_SERVER_ERROR' } }),
  );
  const operationId = new OperationId('1');
  expect(await readFrames([executed.framesFor(operationId).bytesFor(operationId)])).toEqual([
    {
      id: '1',
      type: 'next',
      payload: {
        data: { said: null },
        errors: [{ message: 'Something went wrong.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
      },
    },
  ]);
});

test('ids of one length share one memory, as long as nobody holds it', () => {
  const executed = executedOf(['hello']);
  const [one, two, three] = ['1', '2', '3'].map((text) => new OperationId(text)) as [
    OperationId,
    OperationId,
    OperationId,
  ];
  const frames = executed.framesFor(one);
  const bytes = frames.bytesFor(one);
  expect(executed.framesFor(two)).toBe(frames);
  expect(frames.bytesFor(two)).toBe(bytes);
  frames.hold();
  // Whoever has the same id reads the same bytes, held or not.
  expect(frames.bytesFor(two)).toBe(bytes);
  const others = frames.bytesFor(three);
  expect(others).not.toBe(bytes);
  expect(frames.bytesFor(one)).toBe(others);
});

const ofLength = (length: number) => new OperationId('x'.repeat(length - 2));

test('frames are kept for the four lengths of ids that came last, never for long ids', () => {
  const executed = executedOf(['hello']);
  const lengths = [3, 4, 5, 6, 7, 38];
  const made = new Map(lengths.map((length) => [length, executed.framesFor(ofLength(length))]));
  for (const length of [38, 7, 6, 5, 38]) expect(executed.framesFor(ofLength(length))).toBe(made.get(length));
  for (const length of [4, 3]) expect(executed.framesFor(ofLength(length))).not.toBe(made.get(length));

  const longest = executed.framesFor(ofLength(64));
  for (const length of [65, 66, 67, 200]) {
    const long = executed.framesFor(ofLength(length));
    expect(executed.framesFor(ofLength(length))).not.toBe(long);
  }
  // Nor do they take the place of what is kept.
  expect(executed.framesFor(ofLength(64))).toBe(longest);
});

test('of what was executed lately the newest are kept, however small each of them is', () => {
  const recent = new ResultCache(2 ** 20);
  const forgotten: number[] = [];
  const keep = (number: number, words: string) =>
    recent.add(executedOf([words]).keptBytes, () => forgotten.push(number));
  for (const number of numbers(10_000)) keep(number, 'hello');
  // Each is an object with others in it, not only a few bytes.
  const kept = 10_000 - forgotten.length;
  expect(kept).toBeGreaterThan(100);
  expect(kept).toBeLessThan(1100);
  expect(forgotten).toEqual(numbers(forgotten.length));
  // What is as large as all that may be kept leaves no room for others.
  keep(10_000, 'x'.repeat(2 ** 20));
  expect(forgotten).toHaveLength(10_001);
});
