import { onAbort } from '../abort.ts';
import { type SignalboxError } from '../errors.ts';
import { createRecentIds } from '../inbox/recent-ids.ts';
import { type Message } from '../message.ts';
import { type MessagesOptions } from './channel.ts';
import { merge, type Page, type PageRange } from './timeline.ts';

export interface IterationSource {
  onMessage(listener: (message: Message) => void): () => void;
  /** Called when messages of the channel are lost, or when the client ends. */
  onEnd(listener: (error: SignalboxError) => void): () => void;
  readPage(range: PageRange): Promise<Page>;
}

/** A consumer that is further behind reads the history instead, so that messages do not fill the memory. */
const MAX_QUEUED = 1_000;

/** Yields the history that the options ask for, then live messages, each once. */
export async function* iterateMessages(
  source: IterationSource,
  { since, last, signal }: MessagesOptions,
): AsyncGenerator<Message, void> {
  const ids = createRecentIds(10 * MAX_QUEUED);
  let queue: Message[] = [];
  /** Whether the queue lacks messages that were published after those that it has. */
  let isBehind = false as boolean;
  let position: string | null | undefined = since;
  let failure: SignalboxError | undefined;
  let wake: () => void = () => undefined;
  // Listen first, then read: what is published in between is in the queue, in the page or in both.
  const stops = [
    source.onMessage((message) => {
      // Messages that are not kept are dropped first, because the history lacks them.
      if (queue.length >= MAX_QUEUED) queue = queue.filter(({ cursor }) => cursor);
      if (queue.length >= MAX_QUEUED) isBehind = true;
      if (!isBehind) queue.push(message);
      wake();
    }),
    source.onEnd((error) => {
      failure ??= error;
      wake();
    }),
    onAbort(signal, () => wake()),
  ];
  try {
    let range: PageRange | undefined = last === undefined ? rangeAfter(since) : { last };
    let batch: Message[] = [];
    while (!signal?.aborted) {
      const message = batch.shift();
      if (message) {
        if (!ids.isNew(message.id)) continue;
        position = message.cursor ?? position;
        yield message;
      } else if (range) {
        const { nodes, pageInfo } = await source.readPage(range);
        range = pageInfo.hasNextPage ? rangeAfter(pageInfo.endCursor) : undefined;
        batch = range || isBehind ? [...nodes] : merge(nodes, queue.splice(0));
      } else if (isBehind && position) {
        isBehind = false;
        queue = [];
        range = rangeAfter(position);
      } else if (queue.length > 0) {
        batch = queue;
        queue = [];
      } else if (failure) throw failure;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    for (const stop of stops) stop();
  }
}

const rangeAfter = (after: string | null | undefined) =>
  typeof after === 'string' ? { first: 100, after } : undefined;
