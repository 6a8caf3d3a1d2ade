import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { type Server } from 'node:net';
import { type Config } from '../config.ts';

/** Descriptors that stay free for the store, the log and key files, however many connections clients open. */
const RESERVE = 16;
/** Of the connections that are accepted, the last ones serve HTTP only, so that `/ready` and `/metrics` stay reachable. */
const HTTP_ONLY = 8;
/** Descriptors of an idle process, where they cannot be counted. */
const IDLE_DESCRIPTORS = 64;
/** A limit below this number is low for any service. */
const LOW_LIMIT = 4096;
/** Time between two attempts to open a file, in milliseconds. */
const PROBE_INTERVAL_MS = 1000;
/** While the state lasts, it is logged once in this time, in milliseconds. */
const LOG_INTERVAL_MS = 60_000;

const PROBLEM =
  'The process has few file descriptors left, so new connections are refused. Raise the limit: ulimit -n, or LimitNOFILE in systemd.';

/** Keeps the service able to work, and the operator informed, when the process has few file descriptors left. */
export interface FileDescriptors extends Disposable {
  /** Why connections are refused, for operators; undefined while none are. */
  problem(): string | undefined;
  /** Whether another WebSocket may be opened. */
  hasRoom(): boolean;
}

export interface DescriptorEvents {
  /** Called with a sentence when the state begins, once a minute while it lasts, and with undefined when it has ended. */
  onChange(problem: string | undefined): void;
  /** Called for each connection that is closed unanswered. */
  onDropped(): void;
}

/**
 * A sentence for the operator if the process may not open as many sockets as `maxConnections` connections need. Outside
 * production, only for a limit below 4,096: the default of the setting is more than a developer needs.
 */
export function descriptorWarning({ maxConnections, mode }: Config): string | undefined {
  const limit = readLimit();
  const needed = maxConnections + IDLE_DESCRIPTORS + RESERVE;
  if (limit >= needed || (mode !== 'production' && limit >= LOW_LIMIT)) return undefined;
  return `The process may open ${limit} files and sockets; SIGNALBOX_MAX_CONNECTIONS is ${maxConnections}, which needs ${needed}. Raise the limit (ulimit -n, or LimitNOFILE in systemd) to ${needed}, or lower the setting.`;
}

/** Watches the connections of a listening server. */
export function watchFileDescriptors(
  server: Server,
  { onChange, onDropped }: DescriptorEvents,
): FileDescriptors {
  const maxSockets = Math.max(HTTP_ONLY * 2, readLimit() - countOpen() - RESERVE);
  if (Number.isFinite(maxSockets)) server.maxConnections = maxSockets;
  let sockets = 0;
  let canOpen = true;
  /** When a connection was last refused because no descriptor was left, on the monotonic clock. */
  let refusedAt = Number.NEGATIVE_INFINITY;
  let reportedAt = Number.NEGATIVE_INFINITY;
  let isReported = false;

  const hasRoom = () => canOpen && sockets < maxSockets - HTTP_ONLY;
  const isExhausted = () => !hasRoom() || performance.now() - refusedAt < PROBE_INTERVAL_MS;

  function report(): void {
    const now = performance.now();
    if (isExhausted()) {
      if (isReported && now - reportedAt < LOG_INTERVAL_MS) return;
      isReported = true;
      reportedAt = now;
      onChange(PROBLEM);
    } else if (isReported) {
      isReported = false;
      onChange(undefined);
    }
  }

  /** Opening a file is the only way to notice that files and other sockets have used the descriptors up. */
  function probe(): void {
    try {
      closeSync(openSync('/dev/null', 'r'));
      canOpen = true;
    } catch (error) {
      canOpen = !isExhaustion(error);
    }
    report();
  }

  // One listener for all sockets: a closure of their own would cost each of them memory.
  const onClose = () => sockets--;
  server.on('connection', (socket) => {
    sockets++;
    socket.on('close', onClose);
  });
  server.on('drop', () => {
    refusedAt = performance.now();
    onDropped();
    report();
  });
  const timer = setInterval(probe, PROBE_INTERVAL_MS).unref();

  return {
    problem: () => (isExhausted() ? PROBLEM : undefined),
    hasRoom() {
      if (hasRoom()) return true;
      refusedAt = performance.now();
      report();
      return false;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Whether an error says that the process, or the machine, has no file descriptor left. */
export function isExhaustion(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

/** The number of files and sockets that this process may have open; infinite where the system does not say. */
function readLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function countOpen(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return IDLE_DESCRIPTORS;
  }
}
