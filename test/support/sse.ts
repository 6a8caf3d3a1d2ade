import { createClient } from 'graphql-sse';
import { type Client } from 'graphql-ws';
import { type ServiceClient } from './service.ts';

/** A graphql-sse client in distinct connections mode, without retries. It has the `subscribe` method of graphql-ws. */
export function sseClient({ url }: Pick<ServiceClient, 'url'>, bearer?: string): Client {
  const client = createClient({
    url: `${url}/graphql`,
    retryAttempts: 0,
    ...(bearer !== undefined && { headers: { Authorization: `Bearer ${bearer}` } }),
  });
  return client as unknown as Client;
}

/** Requests an event stream with `fetch`. */
export function fetchStream(
  { url }: Pick<ServiceClient, 'url'>,
  query: string,
  bearer: string,
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${bearer}`,
    },
    body: JSON.stringify({ query }),
    signal,
  });
}

export interface SseMessage {
  name: string;
  /** The cursor of the event. A block with an id alone has no name. */
  id?: string;
  data: any;
}

/** The messages of an event stream until it ends, without comments. */
export async function* readStream(response: Response): AsyncGenerator<SseMessage, undefined> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const [, name] = /^event: (\w+)$/m.exec(block) ?? [];
      const [, id] = /^id: (.*)$/m.exec(block) ?? [];
      const [, data] = /^data: ?(.*)$/m.exec(block) ?? [];
      if (name !== undefined)
        yield { name, ...(id !== undefined && { id }), data: data ? JSON.parse(data) : undefined };
    }
  }
  return undefined;
}
