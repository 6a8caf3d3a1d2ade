import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The interval of the samples, in milliseconds. It is part of every measured delay, and subtracted again. */
const RESOLUTION_MS = 10;

/** Measures for how long the event loop was blocked. */
export interface LoopLag extends Disposable {
  /** The longest delay since the last call, in milliseconds, at a resolution of 10 ms. */
  takeMax(): number;
}

export function measureLoopLag(): LoopLag {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  return {
    takeMax() {
      const maxMs = delays.max / 1e6;
      delays.reset();
      return Math.max(0, maxMs - RESOLUTION_MS);
    },
    [Symbol.dispose]: () => void delays.disable(),
  };
}
