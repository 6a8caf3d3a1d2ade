import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKeyedMutex } from '../src/keyed-mutex.ts';

/** Work that begins when it is its turn and ends when it is told to. */
function work() {
  let begin!: () => void;
  let finish!: () => void;
  let fail!: (error: Error) => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const done = new Promise<void>((resolve, reject) => ([finish, fail] = [resolve, reject]));
  let hasBegun = false;
  const run = () => {
    hasBegun = true;
    begin();
    return done;
  };
  return { run, begun, finish, fail, hasBegun: () => hasBegun };
}

test('of one key, each begins when the one before it has ended, in the order of the calls, whatever becomes of it', async () => {
  const task = fc.record({ key: fc.constantFrom('a', 'b'), turns: fc.nat(4), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(task, { maxLength: 20, size: 'max' }), async (tasks) => {
      const turns = createKeyedMutex();
      const running = new Set<string>();
      const began: number[] = [];
      const outcomes = await Promise.allSettled(
        tasks.map(({ key, turns: count, fails }, index) =>
          turns(key, async () => {
            expect(running).not.toContain(key);
            running.add(key);
            began.push(index);
            for (let turn = 0; turn < count; turn++) await Promise.resolve();
            running.delete(key);
            if (fails) throw new RangeError(String(index));
            return index;
          }),
        ),
      );
      expect(outcomes).toEqual(
        tasks.map(({ fails }, index) =>
          fails
            ? { status: 'rejected', reason: new RangeError(String(index)) }
            : { status: 'fulfilled', value: index },
        ),
      );
      for (const of of ['a', 'b']) {
        const called = tasks.flatMap(({ key }, index) => (key === of ? [index] : []));
        expect(began.filter((index) => tasks[index]!.key === of)).toEqual(called);
      }
    }),
  );
});

test('another key does not wait', async () => {
  const turns = createKeyedMutex();
  const [slow, behind, beside] = [work(), work(), work()];
  const all = [turns('a', slow.run), turns('a', behind.run), turns('b', beside.run)];
  await beside.begun;
  expect(behind.hasBegun()).toBe(false);
  beside.finish();
  await all[2];
  expect(behind.hasBegun()).toBe(false);
  slow.finish();
  await behind.begun;
  behind.finish();
  await Promise.all(all);
});

test('whoever comes while the second of three runs waits for it', async () => {
  const turns = createKeyedMutex();
  const [first, second, third] = [work(), work(), work()];
  const all = [turns('a', first.run), turns('a', second.run)];
  first.finish();
  await all[0];
  await second.begun;
  all.push(turns('a', third.run));
  await turns('b', async () => undefined);
  expect(third.hasBegun()).toBe(false);
  second.finish();
  await third.begun;
  third.finish();
  await Promise.all(all);
});

test('work that throws before it waits is a failure like any other', async () => {
  const turns = createKeyedMutex();
  const failing = turns('a', () => {
    throw new RangeError('on purpose');
  });
  await expect(failing).rejects.toThrow(RangeError);
  expect(await turns('a', async () => 'after')).toBe('after');
});

test('a turn that is taken from within a turn of the same key comes after it', async () => {
  const turns = createKeyedMutex();
  const order: string[] = [];
  let inner: Promise<void> | undefined;
  await turns('a', async () => {
    inner = turns('a', async () => void order.push('inner'));
    await Promise.resolve();
    order.push('outer');
  });
  await inner;
  expect(order).toEqual(['outer', 'inner']);
});
