import { expect, test } from 'vitest';
import { createSliceQueue, inSlices, SLICE_MS, TurnQueue } from '../src/slices.ts';
import { block } from './support/block.ts';

const fail = (error: unknown) => expect.unreachable(String(error));

test('processes a few items at once, and many items in order over several turns of the event loop', async () => {
  expect(inSlices([1, 2, 3], () => undefined, fail)).toBeUndefined();
  const done: number[] = [];
  const items = Array.from({ length: 500 }, (_, index) => index);
  const finished = inSlices(items, (item) => done.push(item), fail);
  expect(done.length).toBeLessThanOrEqual(64);
  let turns = 0;
  const count = () => {
    turns++;
    if (done.length < items.length) setImmediate(count);
  };
  setImmediate(count);
  await finished;
  expect(done).toEqual(items);
  expect(turns).toBeGreaterThan(5);
});

test('reports an item that throws and continues with the next', async () => {
  const faults: unknown[] = [];
  const done: number[] = [];
  const items = Array.from({ length: 200 }, (_, index) => index);
  const work = (item: number) => {
    if (item % 100 === 99) throw new Error(`item ${item}`);
    done.push(item);
  };
  await inSlices(items, work, (error) => faults.push(error));
  expect(faults).toEqual([new Error('item 99'), new Error('item 199')]);
  expect(done).toHaveLength(198);
});

test('a turn queue starts the first tasks at once, and the others in order over several turns of the event loop', async () => {
  const turns = new TurnQueue(8);
  const started: number[] = [];
  const works = Array.from({ length: 300 }, async (_, index) => {
    await turns.take();
    started.push(index);
  });
  // The tasks that did not have to wait continue in this turn.
  await Promise.resolve();
  expect(started.length).toBeLessThanOrEqual(8);
  let passed = 0;
  const count = () => {
    passed++;
    if (started.length < works.length) setImmediate(count);
  };
  setImmediate(count);
  await turns.idle();
  await Promise.all(works);
  expect(started).toEqual(Array.from({ length: 300 }, (_, index) => index));
  expect(passed).toBeGreaterThan(4);
});

test('a turn queue starts a task that costs more than a turn', async () => {
  const turns = new TurnQueue(1);
  expect(turns.take(1000)).toBeUndefined();
  await turns.take(1000);
  await turns.take();
});

test('a slice queue does slow works in order in several turns, and reports the one that throws', async () => {
  const faults: unknown[] = [];
  const queue = createSliceQueue((error) => faults.push(error));
  const done: number[] = [];
  const add = (number: number) =>
    queue.add(() => {
      block(SLICE_MS);
      done.push(number);
      if (number === 1) throw new Error('work 1');
    });
  add(0);
  expect(queue.run()).toBeUndefined();
  for (const number of [1, 2, 3]) add(number);
  const first = queue.run();
  expect(done).toEqual([0, 1]);
  // Works that are added while others wait are done after them.
  add(4);
  const second = queue.run();
  expect(done).toEqual([0, 1]);
  await Promise.all([first, second]);
  expect(done).toEqual([0, 1, 2, 3, 4]);
  expect(faults).toEqual([new Error('work 1')]);
  add(5);
  expect(queue.run()).toBeUndefined();
});
