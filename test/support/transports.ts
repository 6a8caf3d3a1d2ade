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

/** The same operation through each of the doors there are: the first answer, whatever it is. */
export const TRANSPORTS: Record<
  string,
  (doors: ServiceClient, bearer: string, request: Request) => Promise<Answer>
> = {
  async HTTP(doors, bearer, request) {
    const response = await post(doors, bearer, 'application/json', request);
    return (await response.json()) as Answer;
  },
  async SSE(doors, bearer, request) {
    const response = await post(doors, bearer, 'text/event-stream', request);
    const text = await response.text();
    return JSON.parse(/^data: (.+)$/m.exec(text)?.[1] ?? text) as Answer;
  },
  async WebSocket(doors, bearer, request) {
    using socket = await connectSocket(
      doors,
      bearer.startsWith('key_') ? { apiKey: bearer } : { token: bearer },
    );
    socket.send({ id: '1', type: 'subscribe', payload: request });
    const { type, payload } = await socket.next();
    return type === 'error' ? { errors: payload } : payload;
  },
};

/** What each door says, by its name. */
export async function askEachTransport(
  doors: ServiceClient,
  bearer: string,
  request: Request,
): Promise<Record<string, Answer>> {
  const answers: Record<string, Answer> = {};
  for (const [name, ask] of Object.entries(TRANSPORTS)) answers[name] = await ask(doors, bearer, request);
  return answers;
}
