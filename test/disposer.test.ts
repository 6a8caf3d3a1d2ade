import { expect, test } from 'vitest';
import { Disposer } from '../src/disposer.ts';

function createResource(name: string, disposed: string[]): Disposable {
  return { [Symbol.dispose]: () => disposed.push(name) };
}

test('disposes synchronous and asynchronous resources in reverse order', async () => {
  const disposed: string[] = [];
  {
    await using disposer = new Disposer();
    disposer.use(createResource('first', disposed));
    disposer.use({
      [Symbol.asyncDispose]: async () => {
        await Promise.resolve();
        disposed.push('second');
      },
    });
    disposer.use(createResource('third', disposed));
  }
  expect(disposed).toEqual(['third', 'second', 'first']);
});

test('disposes nothing after its resources are moved, until the new disposer is disposed', async () => {
  const disposed: string[] = [];
  const disposer = new Disposer();
  disposer.use(createResource('resource', disposed));
  const moved = disposer.move();
  await disposer[Symbol.asyncDispose]();
  expect(disposed).toEqual([]);
  await moved[Symbol.asyncDispose]();
  await moved[Symbol.asyncDispose]();
  expect(disposed).toEqual(['resource']);
});
