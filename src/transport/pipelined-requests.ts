import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

/**
 * Pipelined requests of one connection that wait at most. Beyond them, the connection is closed: the heads of those that wait, of up to
 * 16 KiB and a credential each, are in memory and count towards no other limit.
 */
export const MAX_WAITING = 10;

/**
 * Requests that a client sent before the answer to an earlier one on the same connection. They are begun one after another: Node
 * keeps what a later one writes in memory, has no socket for it, and does not tell its response when the connection closes.
 */
export class PipelinedRequests {
  readonly #waiting = new WeakMap<Socket, Set<(isTurn: boolean) => void>>();

  /** Resolves to true when the response can be written, or to false when the connection was closed before. */
  untilTurn({ socket }: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const waiting = this.#waiting.get(socket) ?? this.#follow(socket);
    if (socket.destroyed) return Promise.resolve(false);
    if (waiting.size >= MAX_WAITING) {
      socket.destroy();
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      waiting.add(resolve);
      response.once('socket', () => {
        waiting.delete(resolve);
        resolve(true);
      });
    });
  }

  #follow(socket: Socket): Set<(isTurn: boolean) => void> {
    const waiting = new Set<(isTurn: boolean) => void>();
    this.#waiting.set(socket, waiting);
    socket.once('close', () => {
      for (const resolve of waiting) resolve(false);
      waiting.clear();
    });
    return waiting;
  }
}
