import { WebSocket } from 'ws';
import { createClient, type ClientOptions, type SignalboxClient } from '../../src/index.ts';
import { type TestService } from '../../../../test/support/service.ts';

/** The events of the tests. */
export interface Events {
  message: { text: string };
  notice: { level: number };
}

export type TestClient = SignalboxClient<Events> & AsyncDisposable;

/** A client of the package over the WebSocket class of `ws`. Disposing closes it. */
export function connectClient(options: ClientOptions): TestClient {
  const client = createClient<Events>({ webSocket: WebSocket, ...options });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

/** A token that is a member of `channels`, with its credential. */
export async function createMember(
  service: Pick<TestService, 'request'>,
  identity: string,
  channels: string[] = ['lobby'],
  input: object = {},
): Promise<{ token: string; credential: string; cursor: string }> {
  const { createToken } = await service.request(
    `mutation ($input: CreateTokenInput) { createToken(input: $input) { token { id } credential cursor } }`,
    { input: { identity, channels, ...input } },
  );
  return { token: createToken.token.id, credential: createToken.credential, cursor: createToken.cursor };
}

/** Creates a channel. */
export async function createChannel(
  service: Pick<TestService, 'request'>,
  id = 'lobby',
  type = 'PRIVATE',
): Promise<void> {
  await service.request(`mutation ($input: CreateChannelInput!) { createChannel(input: $input) { id } }`, {
    input: { id, type },
  });
}

/** Resolves once `read` returns something else than undefined or false, which it is asked after every macrotask. */
export async function eventually<T>(read: () => T | undefined | false, ms = 15_000): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = read();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`Not in ${ms} ms: ${read.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
