import { type Answer, type ServiceClient } from './service.ts';
import { connectSocket } from './socket.ts';

interface Request {
  query: string;
  variables?: object;
}

function post({ url }: ServiceClient, bearer: string, accept: string, request: Request): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { accept, authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
}

/** Executes an operation over each transport and returns the first answer, with its errors. */
export const TRANSPORTS: Record<
  string,
  (service: ServiceClient, bearer: string, request: Request) => Promise<Answer>
> = {
  async HTTP(service, bearer, request) {
    const response = await post(service, bearer, 'application/json', request);
    return (await response.json()) as Answer;
  },
  async SSE(service, bearer, request) {
    const response = await post(service, bearer, 'text/event-stream', request);
    const text = await response.text();
    return JSON.parse(/^data: (.+)$/m.exec(text)?.[1] ?? text) as Answer;
  },
  async WebSocket(service, bearer, request) {
    using socket = await connectSocket(
      service,
      bearer.startsWith('key_') ? { apiKey: bearer } : { token: bearer },
    );
    socket.send({ id: '1', type: 'subscribe', payload: request });
    const { type, payload } = await socket.next();
    return type === 'error' ? { errors: payload } : payload;
  },
};

/** Executes an operation over every transport. The answers are keyed by the name of the transport. */
export async function askEachTransport(
  service: ServiceClient,
  bearer: string,
  request: Request,
): Promise<Record<string, Answer>> {
  const answers: Record<string, Answer> = {};
  for (const [name, ask] of Object.entries(TRANSPORTS)) answers[name] = await ask(service, bearer, request);
  return answers;
}
