import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext } from 'vitest';

const ROOT = '/usr/lib';

/** The library that shows a process another system clock; undefined if it is not installed (Debian: `libfaketime`). */
const LIBFAKETIME = (existsSync(ROOT) ? readdirSync(ROOT) : [])
  .map((architecture) => join(ROOT, architecture, 'faketime/libfaketimeMT.so.1'))
  .find((file) => existsSync(file));

const missing = LIBFAKETIME ? undefined : 'There is no libfaketime: install it (Debian: libfaketime).';
if (missing) process.stderr.write(`Tests of the system clock are skipped. ${missing}\n`);

/** Whether the clock of a process can be set. */
export const hasFaketime = LIBFAKETIME !== undefined;

export type SystemClock = ReturnType<typeof createSystemClock>;

/** A system clock of a process that a test can set while the process runs. Its monotonic clock stays as it is. */
export function createSystemClock(folder: string) {
  const file = join(folder, 'clock');
  const set = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}s\n`);
  set(0);
  return {
    /** Sets the clock to the true time plus a number of seconds. */
    set,
    env: {
      LD_PRELOAD: LIBFAKETIME ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
  };
}

/** Skips the test when libfaketime is missing, or fails it when `REQUIRE_SERVERS=1`. */
export function requireFaketime({ skip }: TestContext): void {
  if (missing && process.env['REQUIRE_SERVERS'] === '1') throw new Error(missing);
  if (missing) skip(missing);
}
