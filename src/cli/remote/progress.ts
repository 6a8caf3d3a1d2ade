import { type RemoteTerminal } from './terminal.ts';

/** How long one update is shown at least, in milliseconds. */
const UPDATE_MS = 100;
const WIDTH = 24;

export interface Progress {
  /** @param part what is done, from 0 to 1; undefined where the whole is unknown */
  update(count: number, part: number | undefined): void;
  /** Clears the line. */
  end(): void;
}

/** A progress bar with rate and remaining time on a terminal; nothing where standard error is no terminal. */
export function createProgress({ showProgress, now }: RemoteTerminal, noun: string): Progress {
  const startedAt = now();
  let shownAt = 0;
  return {
    update(count, part) {
      if (showProgress === undefined || now() - shownAt < UPDATE_MS) return;
      shownAt = now();
      showProgress(describeProgress(count, part, (shownAt - startedAt) / 1_000, noun));
    },
    end() {
      if (shownAt > 0) showProgress?.('');
    },
  };
}

/** @example describeProgress(300, 0.5, 10, 'messages') // [############            ] 50 %  300 messages  30/s  10 s left */
export function describeProgress(
  count: number,
  part: number | undefined,
  seconds: number,
  noun: string,
): string {
  const rate = `${count} ${noun}  ${seconds > 0 ? Math.round(count / seconds) : 0}/s`;
  if (part === undefined) return rate;
  const done = '#'.repeat(Math.round(Math.min(1, part) * WIDTH)).padEnd(WIDTH);
  const left = part > 0 ? `  ${Math.ceil((seconds * (1 - part)) / part)} s left` : '';
  return `[${done}] ${Math.floor(part * 100)} %  ${rate}${left}`;
}
