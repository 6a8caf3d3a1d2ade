import { type Readable } from 'node:stream';
import { type TurnQueue } from '../slices.ts';

/**
 * Delays the processing of what arrives next on a socket until its turn. Node.js reads all sockets that have data in one turn of the
 * event loop; after a close frame to thousands of peers, all of them answer at once, and each answer makes `ws` end a socket.
 * The socket must have a `data` listener.
 */
export function readAnswerInTurn(socket: Readable, turns: TurnQueue): void {
  // Without the wait, the listener would be removed and the socket read in the turn in which the answer arrives.
  const onReadable = () => void readInTurn();
  let isWaiting = false;
  async function readInTurn(): Promise<void> {
    if (isWaiting) return;
    isWaiting = true;
    await turns.take();
    // Without a `readable` listener, the socket emits `data` again.
    socket.off('readable', onReadable);
  }
  // With a `readable` listener, the socket keeps what arrives, up to its high water mark, and emits no `data`.
  socket.on('readable', onReadable);
}
