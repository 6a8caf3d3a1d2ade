import { type Answer, type ServiceClient } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';
import { type Call, documentOf } from './calls.ts';
import { type Presented } from './credentials.ts';

/** What becomes of a call: null, it was answered; a code, it was refused and nothing came with it; or the strange answer itself. */
export type Verdict = string | null;

function verdictOf({ data, errors }: Answer): Verdict {
  const isEmpty = Object.values(data ?? {}).every((value) => value === null);
  if (!errors) return data ? null : 'nothing at all';
  const code = errors[0]?.extensions['code'];
  return errors.length === 1 && isEmpty && typeof code === 'string' ? code : JSON.stringify({ data, errors });
}

/** By HTTP; a subscription by SSE, which is answered once its stream begins. */
export async function callByHttp(
  { url }: Pick<ServiceClient, 'url'>,
  { bearer, project }: Presented,
  call: Call,
  variables: object,
): Promise<Verdict> {
  const isStream = call.type === 'subscription';
  const leaving = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: isStream ? 'text/event-stream' : 'application/json',
      ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
      ...(project !== undefined && { project }),
    },
    body: JSON.stringify({ query: documentOf(call), variables }),
    signal: leaving.signal,
  });
  if (!isStream) return verdictOf((await response.json()) as Answer);
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    // A stream that is let in begins with a comment, one that is refused with the refusal.
    if (text.startsWith(':\n\n')) {
      const first = /^event: next\ndata: (.+)$/m.exec(text)?.[1];
      leaving.abort();
      return first === undefined ? null : verdictOf(JSON.parse(first) as Answer);
    }
  }
  return verdictOf(JSON.parse(/^data: (.+)$/m.exec(text)?.[1] ?? text) as Answer);
}

export const paramsOf = ({ bearer, project }: Presented): object => ({
  ...(bearer !== null && { [bearer.startsWith('key_') ? 'apiKey' : 'token']: bearer }),
  ...(project !== undefined && { project }),
});

export const openFor = (doors: Pick<ServiceClient, 'wsUrl'>, presented: Presented): Promise<RawSocket> =>
  connectSocket(doors, paramsOf(presented));

let operations = 0;

/** On a live socket, one call after the other. */
export async function callOn(socket: RawSocket, call: Call, variables: object): Promise<Verdict> {
  const id = String(++operations);
  socket.send({ id, type: 'subscribe', payload: { query: documentOf(call), variables } });
  for (;;) {
    const message = await socket.next();
    if (message.id !== id) continue;
    if (message.type === 'error') return verdictOf({ errors: message.payload });
    if (message.type === 'complete') return 'nothing at all';
    return verdictOf(message.payload);
  }
}
