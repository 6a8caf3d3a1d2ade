import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

/** What the proxy does with a request. */
export type Fault =
  /** Passes the request and the answer on. */
  | 'none'
  /** Passes the request on, and closes the connection instead of passing the answer on. */
  | 'lose the answer'
  /** Passes the request on and never answers. */
  | 'stall'
  /** Answers 502 with a page, as a reverse proxy without its service does. */
  | 'bad gateway'
  /** Answers that the limit of the rate is reached, with `retryAfterSeconds: 0`. */
  | 'rate limited'
  /** Passes the request on, and answers that the database was lost before it answered. */
  | 'outcome unknown';

export interface FaultyProxy extends AsyncDisposable {
  readonly url: string;
  /** Number of requests that arrived. */
  readonly requests: number;
  /** Number of TCP connections that were opened. */
  readonly connections: number;
  /** Resolves when a request has been passed on whose answer is withheld. */
  readonly stalled: Promise<void>;
}

/** An HTTP proxy of the service that treats its requests by a list of faults, then passes everything on. */
export async function createFaultyProxy(service: string, faults: Fault[]): Promise<FaultyProxy> {
  let requests = 0;
  let connections = 0;
  let markStalled: () => void = () => undefined;
  const stalled = new Promise<void>((resolve) => (markStalled = resolve));

  const server = createServer((request, response) => {
    requests++;
    const fault = faults.shift() ?? 'none';
    void handle(fault, request, response);
  });
  server.on('connection', () => connections++);

  async function handle(
    fault: Fault,
    request: AsyncIterable<Buffer> & { headers: object },
    response: ServerResponse,
  ) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (fault === 'bad gateway') return response.writeHead(502).end('<h1>Bad Gateway</h1>');
    if (fault === 'rate limited') {
      const extensions = { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 0 };
      return response.end(JSON.stringify({ errors: [{ message: 'Too many requests.', extensions }] }));
    }
    const { authorization = '' } = request.headers as { authorization?: string };
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await fetch(`${service}/graphql`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (fault === 'outcome unknown') {
      const extensions = { code: 'UNAVAILABLE', retryable: true, outcomeUnknown: true };
      return response.end(JSON.stringify({ errors: [{ message: 'Try again later.', extensions }] }));
    }
    if (fault === 'lose the answer') return response.destroy();
    if (fault === 'stall') return markStalled();
    return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    get connections() {
      return connections;
    },
    stalled,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
