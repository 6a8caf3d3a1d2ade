import { type Answer, type ServiceClient } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';
import { documentOf } from './call-documents.ts';
import { type Call } from './calls.ts';
import { type PresentedCredential } from './credentials.ts';

/** The outcome of a call: null if it succeeded, the code if it failed without data, or the JSON of any other answer. */
export type CallOutcome = string | null;

function outcomeOf({ data, errors }: Answer): CallOutcome {
  const isEmpty = Object.values(data ?? {}).every((value) => value === null);
  if (!errors && data && 'publishMessages' in data) return data['publishMessages'][0].error?.code ?? null;
  if (!errors) return data ? null : 'an empty answer';
  const code = errors[0]?.extensions['code'];
  return errors.length === 1 && isEmpty && typeof code === 'string' ? code : JSON.stringify({ data, errors });
}

/** Executes a call over HTTP. A subscription is executed over SSE and succeeds when its stream begins. */
export async function callByHttp(
  { url }: Pick<ServiceClient, 'url'>,
  { bearer, project }: PresentedCredential,
  call: Call,
  variables: object,
): Promise<CallOutcome> {
  const isStream = call.type === 'subscription';
  const controller = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: isStream ? 'text/event-stream' : 'application/json',
      ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
      ...(project !== undefined && { project }),
    },
    body: JSON.stringify({ query: documentOf(call), variables }),
    signal: controller.signal,
  });
  if (!isStream) return outcomeOf((await response.json()) as Answer);
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    // The stream of an accepted subscription begins with a comment, that of a refused one with the error.
    if (text.startsWith(':\n\n')) {
      const first = /^event: next\ndata: (.+)$/m.exec(text)?.[1];
      controller.abort();
      return first === undefined ? null : outcomeOf(JSON.parse(first) as Answer);
    }
  }
  return outcomeOf(JSON.parse(/^data: (.+)$/m.exec(text)?.[1] ?? text) as Answer);
}

export const connectionParamsOf = ({ bearer, project }: PresentedCredential): object => ({
  ...(bearer !== null && { [bearer.startsWith('key_') ? 'apiKey' : 'token']: bearer }),
  ...(project !== undefined && { project }),
});

export const openSocketFor = (
  service: Pick<ServiceClient, 'wsUrl'>,
  credentials: PresentedCredential,
): Promise<RawSocket> => connectSocket(service, connectionParamsOf(credentials));

let operations = 0;

/** Executes a call on a live socket. Calls on one socket must not overlap. */
export async function callOnSocket(socket: RawSocket, call: Call, variables: object): Promise<CallOutcome> {
  const id = String(++operations);
  socket.send({ id, type: 'subscribe', payload: { query: documentOf(call), variables } });
  for (;;) {
    const message = await socket.next();
    if (message.id !== id) continue;
    if (message.type === 'error') return outcomeOf({ errors: message.payload });
    if (message.type === 'complete') return 'an empty answer';
    return outcomeOf(message.payload);
  }
}
