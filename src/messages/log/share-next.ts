/**
 * Lets calls with the same key share one result. A call never joins a run that began before it, because a reader must see
 * everything that was there when it asked: calls that arrive during a run share the next one.
 */
export function shareNext<T>(): (key: string, run: () => Promise<T>) => Promise<T> {
  interface Runs {
    readonly current: Promise<T>;
    next: Promise<T> | undefined;
  }
  const running = new Map<string, Runs>();

  return function share(key, run): Promise<T> {
    const entry = running.get(key);
    if (!entry) {
      const current = run();
      const created: Runs = { current, next: undefined };
      running.set(key, created);
      const end = () => {
        if (running.get(key) === created) running.delete(key);
      };
      current.then(end, end);
      return current;
    }
    entry.next ??= entry.current.then(
      () => share(key, run),
      () => share(key, run),
    );
    return entry.next;
  };
}
