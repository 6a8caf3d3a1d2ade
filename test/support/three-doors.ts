import { type Answer, type Doors } from './service.ts';
import { connectSocket } from './socket.ts';

interface Request {
  query: string;
  variables?: object;
}

function post({ url }: Doors, apiKey: string, accept: string, request: Request): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { accept, authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
}

/** The same operation through each of the doors there are: the first answer, whatever it is. */
export const DOORS: Record<string, (doors: Doors, apiKey: string, request: Request) => Promise<Answer>> = {
  async HTTP(doors, apiKey, request) {
    const response = await post(doors, apiKey, 'application/json', request);
    return (await response.json()) as Answer;
  },
  async SSE(doors, apiKey, request) {
    const response = await post(doors, apiKey, 'text/event-stream', request);
    const text = await response.text();
    return JSON.parse(/^data: (.+)$/m.exec(text)?.[1] ?? text) as Answer;
  },
  async WebSocket(doors, apiKey, request) {
    using socket = await connectSocket(doors, { apiKey });
    socket.send({ id: '1', type: 'subscribe', payload: request });
    const { type, payload } = await socket.next();
    return type === 'error' ? { errors: payload } : payload;
  },
};

/** What each door says, by its name. */
export async function askAll(
  doors: Doors,
  apiKey: string,
  request: Request,
): Promise<Record<string, Answer>> {
  const answers: Record<string, Answer> = {};
  for (const [name, ask] of Object.entries(DOORS)) answers[name] = await ask(doors, apiKey, request);
  return answers;
}
