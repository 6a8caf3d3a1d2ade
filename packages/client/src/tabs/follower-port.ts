import { type BroadcastChannelLike } from './environment.ts';
import { type Closing, type Port } from './multiplexer.ts';

/** After this number of messages without a sign of life, a follower is asked for one. */
const ASK_AFTER = 500;
/** A follower that has left this number of messages unanswered is frozen: the browser would keep them in its memory for it. */
const MAX_UNANSWERED = 5_000;

/** A tab at the other end of a pipe, as its leader sees it. `onGone` is called when it is too far behind. */
export function createFollowerPort(
  pipe: BroadcastChannelLike,
  { send, onGone }: { send(port: Port, text: string): void; onGone(): void },
): Port {
  let unanswered = 0;
  const port: Port = {
    deliver(text) {
      pipe.postMessage(text);
      if (++unanswered % ASK_AFTER === 0) pipe.postMessage('{"type":"ping"}');
      if (unanswered < MAX_UNANSWERED) return;
      port.close(4408, 'The tab did not take its messages in time.');
      onGone();
    },
    close(code, reason) {
      const closing: Closing = { code, reason };
      pipe.postMessage(closing);
    },
  };
  pipe.onmessage = ({ data }) => {
    unanswered = 0;
    if (typeof data === 'string') send(port, data);
  };
  return port;
}
