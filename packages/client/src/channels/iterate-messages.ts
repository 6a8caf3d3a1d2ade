import { type SignalboxError } from '../errors.ts';
import { type Message } from '../message.ts';
import { type AbortSignalLike } from '../runtime.ts';
import { type MessagesOptions } from './channel.ts';
import { type Page, type PageRange } from './timeline.ts';

export interface IterationSource {
  onMessage(listener: (message: Message) => void): () => void;
  /** Called when messages of the channel are lost, or when the client ends. */
  onEnd(listener: (error: SignalboxError) => void): () => void;
  readPage(range: PageRange): Promise<Page>;
}

/** Yields the history that the options ask for, then live messages, each once. */
export async function* iterateMessages(
  source: IterationSource,
  { since, last, signal }: MessagesOptions,
): AsyncGenerator<Message, void> {
  const queue: Message[] = [];
  const seen = new Set<string>();
  let failure: SignalboxError | undefined;
  let wake: () => void = () => undefined;
  // Listen first, then read: what is published in between is in the queue, in the page or in both.
  const stops = [
    source.onMessage((message) => {
      queue.push(message);
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
    while (range) {
      const { nodes, pageInfo } = await source.readPage(range);
      for (const message of nodes) {
        if (isAborted()) return;
        seen.add(message.id);
        yield message;
      }
      range = pageInfo.hasNextPage ? rangeAfter(pageInfo.endCursor) : undefined;
    }
    while (!isAborted()) {
      const message = queue.shift();
      if (message) {
        if (!seen.delete(message.id)) yield message;
      } else if (failure) throw failure;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    for (const stop of stops) stop();
  }

  function isAborted(): boolean {
    return signal?.aborted === true;
  }
}

const rangeAfter = (after: string | null | undefined) =>
  typeof after === 'string' ? { first: 100, after } : undefined;

function onAbort(signal: AbortSignalLike | undefined, listener: () => void): () => void {
  signal?.addEventListener('abort', listener);
  return () => signal?.removeEventListener('abort', listener);
}
