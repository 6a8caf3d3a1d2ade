import { type Client } from 'graphql-ws';
import { roundTrip } from './backend.ts';
import { type ServiceClient } from './service.ts';

/** What a subscription has yielded so far, errors and all, by whichever door. */
export interface Received {
  readonly results: readonly Result[];
  /** Resolves once `enough` holds, or nothing can come any more. */
  until(enough: (results: readonly Result[]) => boolean): Promise<void>;
  stop(): void;
}

export interface Result {
  data?: any;
  errors?: readonly { path?: readonly (string | number)[] }[];
}

export interface Payload {
  query: string;
  variables: Record<string, unknown>;
}

function createHeard(stop: () => void) {
  const results: Result[] = [];
  const watching = new Set<() => void>();
  let isOver = false;
  const look = () => watching.forEach((check) => check());
  return {
    push(result: Result): void {
      // Whatever one door leaves out of its JSON shall be absent at both.
      results.push(JSON.parse(JSON.stringify(result)));
      look();
    },
    over(): void {
      isOver = true;
      look();
    },
    heard: {
      results,
      stop,
      until: (enough) =>
        new Promise((resolve) => {
          const check = () => {
            if (!isOver && !enough(results)) return;
            watching.delete(check);
            resolve();
          };
          watching.add(check);
          check();
        }),
    } satisfies Received,
  };
}

/** By WebSocket, where whoever looks the same way shares what is made. Resolves once it is live, or refused. */
export async function subscribeByWebSocket(client: Client, payload: Payload): Promise<Received> {
  let stop: () => void = () => undefined;
  const { heard, push, over } = createHeard(() => stop());
  stop = client.subscribe(
    { ...payload },
    {
      next: (result) => push(result as Result),
      error: (errors) => {
        push({ errors: errors as NonNullable<Result['errors']> });
        over();
      },
      complete: over,
    },
  );
  await roundTrip(client);
  return heard;
}

/** By an HTTP stream, where every subscriber is executed by itself. Resolves once it is live, or refused. */
export async function subscribeBySse(
  { url }: ServiceClient,
  bearer: string | undefined,
  payload: Payload,
): Promise<Received> {
  const leaving = new AbortController();
  const { heard, push, over } = createHeard(() => leaving.abort());
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify(payload),
    signal: leaving.signal,
  });
  const opened = new Promise<void>((open) => {
    read(response, push, open)
      .catch(() => undefined)
      .finally(() => {
        open();
        over();
      });
  });
  await opened;
  return heard;
}

/** An event stream begins with a comment: from then on the subscription is being read from. */
async function read(response: Response, push: (result: Result) => void, open: () => void): Promise<void> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      open();
      if (block.startsWith('event: next\n')) push(JSON.parse(block.slice(block.indexOf('data: ') + 6)));
    }
  }
  // A refusal may be plain JSON.
  if (text !== '') push(JSON.parse(text));
}
