import { readFileSync, statSync } from 'node:fs';

/**
 * The id of the process that holds a lock on a file, as Linux reports it; undefined where the system does not report it, and for a process of
 * another container. The kernel is asked, because an id that is written into a file stays there after `kill -9`.
 */
export function findLockHolder(file: string): number | undefined {
  try {
    const { dev, ino } = statSync(file, { bigint: true });
    // “3: POSIX  ADVISORY  WRITE 10679 fe:00:2156948 1073741824 1073742335”
    const line = readFileSync('/proc/locks', 'latin1')
      .split('\n')
      .find((lock) => lock.includes(` WRITE `) && lock.includes(` ${formatDevice(dev)}:${ino} `));
    const holder = Number(/ WRITE (\d+) /.exec(line ?? '')?.[1]);
    return holder > 0 ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** The numbers of a device as the kernel prints them: major and minor, at least two hexadecimal digits each. */
function formatDevice(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':');
}
