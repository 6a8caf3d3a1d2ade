import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKeyedMutex } from '../src/keyed-mutex.ts';

/** A task that reports when it starts and that the test finishes or fails. */
function createTask() {
  let markStarted!: () => void;
  let finish!: () => void;
  let fail!: (error: Error) => void;
  const started = new Promise<void>((resolve) => (markStarted = resolve));
  const done = new Promise<void>((resolve, reject) => ([finish, fail] = [resolve, reject]));
  let hasStarted = false;
  const run = () => {
    hasStarted = true;
    markStarted();
    return done;
  };
  return { run, started, finish, fail, hasStarted: () => hasStarted };
}

test('tasks with one key run one after another in call order, and each caller gets the result or error of its task', async () => {
  const task = fc.record({ key: fc.constantFrom('a', 'b'), microtasks: fc.nat(4), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(task, { maxLength: 20, size: 'max' }), async (tasks) => {
      const serialize = createKeyedMutex();
      const running = new Set<string>();
      const started: number[] = [];
      const outcomes = await Promise.allSettled(
        tasks.map(({ key, microtasks, fails }, index) =>
          serialize(key, async () => {
            expect(running).not.toContain(key);
            running.add(key);
            started.push(index);
            for (let count = 0; count < microtasks; count++) await Promise.resolve();
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
      for (const key of ['a', 'b']) {
        const called = tasks.flatMap((task, index) => (task.key === key ? [index] : []));
        expect(started.filter((index) => tasks[index]!.key === key)).toEqual(called);
      }
    }),
  );
});

test('a task with another key does not wait', async () => {
  const serialize = createKeyedMutex();
  const [slow, queued, otherKey] = [createTask(), createTask(), createTask()];
  const all = [serialize('a', slow.run), serialize('a', queued.run), serialize('b', otherKey.run)];
  await otherKey.started;
  expect(queued.hasStarted()).toBe(false);
  otherKey.finish();
  await all[2];
  expect(queued.hasStarted()).toBe(false);
  slow.finish();
  await queued.started;
  queued.finish();
  await Promise.all(all);
});

test('a third task waits when it is added while the second task runs', async () => {
  const serialize = createKeyedMutex();
  const [first, second, third] = [createTask(), createTask(), createTask()];
  const all = [serialize('a', first.run), serialize('a', second.run)];
  first.finish();
  await all[0];
  await second.started;
  all.push(serialize('a', third.run));
  await serialize('b', async () => undefined);
  expect(third.hasStarted()).toBe(false);
  second.finish();
  await third.started;
  third.finish();
  await Promise.all(all);
});

test('a task that throws synchronously rejects its call and does not block the next task', async () => {
  const serialize = createKeyedMutex();
  const failing = serialize('a', () => {
    throw new RangeError('on purpose');
  });
  await expect(failing).rejects.toThrow(RangeError);
  expect(await serialize('a', async () => 'after')).toBe('after');
});

test('a task added by a running task with the same key starts after the running task ends', async () => {
  const serialize = createKeyedMutex();
  const order: string[] = [];
  let inner: Promise<void> | undefined;
  await serialize('a', async () => {
    inner = serialize('a', async () => void order.push('inner'));
    await Promise.resolve();
    order.push('outer');
  });
  await inner;
  expect(order).toEqual(['outer', 'inner']);
});
