import { type Clock } from './clock.ts';

/** A smaller difference from elapsed time is the normal correction of a clock, in milliseconds. */
const TOLERANCE_MS = 1000;
/** A smaller jump is not reported, in milliseconds. */
const REPORTED_JUMP_MS = 10_000;
const MAX_SEGMENTS = 100;

/** A stretch of time during which the system clock ran without a jump. */
export interface ClockSegment {
  /** When it began, on the monotonic clock; minus infinity for the first. */
  readonly since: number;
  /** Add this number to a monotonic time to get the system clock's time, in milliseconds. */
  readonly offset: number;
}

/**
 * Remembers when the system clock was set forward or back, by comparing it with elapsed time. What would be deleted for
 * its age is measured by elapsed time, because a clock that jumps would make everything too old at once, or nothing.
 * Time during which the machine was suspended counts as a jump.
 */
export interface ClockHistory {
  /** Compares the clocks. Returns the segments so far, oldest first; the array changes only when a jump was found. */
  sample(): readonly ClockSegment[];
  /** The system time `ageMs` ago, as the system clock showed it then, with the index of its segment. */
  ago(ageMs: number): { time: number; index: number };
  /**
   * The system time without any jump forward of the last `holdMs`. For deletions by a stored time, which must not happen
   * because of a clock that is wrong for a moment.
   */
  settledNow(holdMs: number): number;
}

/** @param onJump is called once for each jump of at least 10 seconds; `ms` is negative when the clock was set back */
export function createClockHistory(clock: Clock, onJump: (ms: number) => void): ClockHistory {
  let segments: readonly ClockSegment[] = [
    { since: Number.NEGATIVE_INFINITY, offset: clock.now() - clock.monotonic() },
  ];

  function sample(): readonly ClockSegment[] {
    const since = clock.monotonic();
    const offset = clock.now() - since;
    const jump = offset - (segments.at(-1)?.offset ?? offset);
    if (Math.abs(jump) < TOLERANCE_MS) return segments;
    segments = [...segments, { since, offset }].slice(-MAX_SEGMENTS);
    if (Math.abs(jump) >= REPORTED_JUMP_MS) onJump(jump);
    return segments;
  }

  return {
    sample,
    ago(ageMs) {
      const known = sample();
      const moment = clock.monotonic() - ageMs;
      const index = Math.max(
        0,
        known.findLastIndex(({ since }) => since <= moment),
      );
      return { time: moment + (known[index]?.offset ?? 0), index };
    },
    settledNow(holdMs) {
      const known = sample();
      const heldSince = clock.monotonic() - holdMs;
      // The segment in which the hold began counts too.
      const first = Math.max(
        0,
        known.findLastIndex(({ since }) => since <= heldSince),
      );
      return clock.monotonic() + Math.min(...known.slice(first).map(({ offset }) => offset));
    },
  };
}
