import { type ServerResponse } from 'node:http';
import { type Config } from '../config.ts';
import { type RetainedMemory } from './retained-memory.ts';

/** Bounds what a client requests and does not read: by its bytes in memory, and by a deadline. */
export type TrackUnread = (response: ServerResponse, address: string) => void;

/** How often the unread bytes of an open response are counted again, in milliseconds. */
const INTERVAL_MS = 250;

/**
 * Returns a function to call before an answer is written. Bytes that the kernel does not take are counted until the client
 * reads them. The connection is closed when they exceed the retained memory of its address or of the service, or when the
 * client reads none of them for `responseTimeoutMs`. A client that reads at once costs one timer, which never fires.
 */
export function createUnreadResponses(
  memory: RetainedMemory,
  { responseTimeoutMs }: Pick<Config, 'responseTimeoutMs'>,
): TrackUnread {
  return (response, address) => {
    const { socket } = response;
    if (!socket) return;
    // One answer may be as large as its document allows, so only sums are limited.
    const holder = { address, retainedBytes: 0, isUnlimited: true };
    let written = socket.bytesWritten;
    let stalledSince = performance.now();

    function count(): void {
      const unread = response.writableLength;
      const more = unread - holder.retainedBytes;
      if (more < 0) return memory.release(holder, -more);
      try {
        memory.hold(holder, more);
      } catch {
        socket?.destroy();
      }
    }
    function check(): void {
      count();
      const now = performance.now();
      const before = written;
      written = socket?.bytesWritten ?? before;
      const isStalled = holder.retainedBytes > 0 && written === before;
      if (!isStalled) stalledSince = now;
      else if (now - stalledSince >= responseTimeoutMs) socket?.destroy();
    }
    function stop(): void {
      clearInterval(timer);
      response.off('finish', stop);
      socket?.off('close', stop);
      memory.release(holder, holder.retainedBytes);
    }
    const timer = setInterval(check, Math.min(INTERVAL_MS, responseTimeoutMs));
    // Most answers are complete at once: they are counted before the next request is read.
    response.once('prefinish', count);
    response.once('finish', stop);
    socket.once('close', stop);
  };
}
