import { type Client } from 'graphql-ws';
import { roundTrip } from './backend.ts';
import { type ServiceClient } from './service.ts';

/** The results, including errors, that a subscription has received so far over one transport. */
export interface Received {
  readonly results: readonly Result[];
  /** Resolves when the predicate holds, or when the subscription has ended. */
  until(predicate: (results: readonly Result[]) => boolean): Promise<void>;
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

function createReceived(stop: () => void) {
  const results: Result[] = [];
  const checks = new Set<() => void>();
  let isOver = false;
  const runChecks = () => checks.forEach((check) => check());
  return {
    push(result: Result): void {
      // JSON omits undefined fields; normalise the results so that both transports compare equal.
      results.push(JSON.parse(JSON.stringify(result)));
      runChecks();
    },
    end(): void {
      isOver = true;
      runChecks();
    },
    received: {
      results,
      stop,
      until: (predicate) =>
        new Promise((resolve) => {
          const check = () => {
            if (!isOver && !predicate(results)) return;
            checks.delete(check);
            resolve();
          };
          checks.add(check);
          check();
        }),
    } satisfies Received,
  };
}

/** Subscribes by WebSocket, where equal operations share one execution. Resolves when the subscription is live or refused. */
export async function subscribeByWebSocket(client: Client, payload: Payload): Promise<Received> {
  let stop: () => void = () => undefined;
  const { received, push, end } = createReceived(() => stop());
  stop = client.subscribe(
    { ...payload },
    {
      next: (result) => push(result as Result),
      error: (errors) => {
        push({ errors: errors as NonNullable<Result['errors']> });
        end();
      },
      complete: end,
    },
  );
  await roundTrip(client);
  return received;
}

/** Subscribes by SSE, where each subscription has its own execution. Resolves when the subscription is live or refused. */
export async function subscribeBySse(
  { url }: ServiceClient,
  bearer: string | undefined,
  payload: Payload,
): Promise<Received> {
  const controller = new AbortController();
  const { received, push, end } = createReceived(() => controller.abort());
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify(payload),
    signal: controller.signal,
  });
  const opened = new Promise<void>((open) => {
    read(response, push, open)
      .catch(() => undefined)
      .finally(() => {
        open();
        end();
      });
  });
  await opened;
  return received;
}

/** Parses the event stream. The stream starts with a comment, which means that the subscription is live. */
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
  // A refusal may be a plain JSON response.
  if (text !== '') push(JSON.parse(text));
}
