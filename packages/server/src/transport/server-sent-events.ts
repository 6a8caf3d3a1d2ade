/** An event of an event stream. */
export interface ServerSentEvent {
  event: string;
  data: string;
}

/** The longest event that is read, in UTF-16 code units: far above the largest message that a service accepts by default. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024;

/**
 * Yields the events of a body until it ends, an event is too long, or nothing comes for `silenceMs` milliseconds. Comments
 * count as a sign of life and are dropped. The caller closes the body.
 */
export async function* readServerSentEvents(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder();
  let text = '';
  while (text.length <= MAX_EVENT_LENGTH) {
    // Ends the pending read as the end of the body would.
    const timer = setTimeout(() => void reader.cancel().catch(() => undefined), silenceMs);
    const { value, done } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    const blocks = (text + decoder.decode(value, { stream: true })).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
      const event = field('event');
      if (event !== undefined) yield { event, data: field('data') ?? '' };
    }
  }
}
