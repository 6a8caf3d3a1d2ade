/** Runs tasks with the same key one after another, in call order; tasks with different keys run concurrently. */
export type KeyedMutex = <T>(key: string, task: () => Promise<T>) => Promise<T>;

/**
 * Creates a mutex per key. The returned function resolves or rejects with the result of `task`; a task that fails does
 * not stop the tasks queued behind it. Not reentrant: a task that awaits another task of the same key never finishes.
 *
 * @example
 * const serialize = createKeyedMutex();
 * await serialize(channelId, () => updateChannel(channelId));
 */
export function createKeyedMutex(): KeyedMutex {
  const lastTasks = new Map<string, Promise<unknown>>();
  return async (key, task) => {
    const current = (lastTasks.get(key) ?? Promise.resolve()).then(task, task);
    lastTasks.set(key, current);
    try {
      return await current;
    } finally {
      if (lastTasks.get(key) === current) lastTasks.delete(key);
    }
  };
}
