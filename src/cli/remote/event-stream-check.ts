/** Sends a GraphQL operation with the API key. */
export type Post = (query: string, headers: Record<string, string>, timeoutMs?: number) => Promise<Response>;

/** An event that is not held back arrives at once. */
const TIMEOUT_MS = 5_000;

/**
 * Opens an event stream, causes an event of it, and waits for the event. The event is needed, because a proxy
 * that buffers may still pass on the first bytes. The event is the opening of a second stream.
 */
export async function checkEventStream(post: Post): Promise<string> {
  const query = 'subscription { activity(kinds: [CONNECTION]) { at } }';
  const answer = await post(query, { accept: 'text/event-stream' }, TIMEOUT_MS).catch(buffered);
  if (answer.status !== 200 || answer.headers.get('content-type')?.startsWith('text/event-stream') !== true)
    throw new Error(`A request for an event stream is answered with ${answer.status}.`);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const readUntil = async (pattern: RegExp) => {
    while (!pattern.test(text)) {
      const part = await reader?.read().catch(buffered);
      if (part === undefined || part.done) throw new Error(`The event stream ended: ${text.slice(0, 300)}`);
      text += part.value;
    }
  };
  try {
    await readUntil(/\n/);
    const other = await post(query, { accept: 'text/event-stream' }, TIMEOUT_MS).catch(buffered);
    await other.body?.cancel();
    await readUntil(/"(activity|errors)":/);
    if (!text.includes('"activity":{'))
      return 'An event stream begins. Whether later events are held back was not checked: the API key needs the scope READ, in all channels.';
    return 'Events arrive as they are sent; no proxy holds them back.';
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

function buffered(cause: unknown): never {
  throw new Error(
    `An event did not arrive within ${TIMEOUT_MS / 1_000} s: a proxy buffers the answer. Switch its buffering off for /graphql (nginx: proxy_buffering off).`,
    { cause },
  );
}
