/** Keeps the event loop busy for `ms` milliseconds, as slow synchronous work does. */
export function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
