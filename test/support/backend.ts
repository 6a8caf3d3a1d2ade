import { type Client } from 'graphql-ws';
import { queueResults } from './result-queue.ts';
import { type ServiceClient } from './service.ts';

/** The operations that tests perform most often as a backend, with the API key. */

export interface MintedToken {
  id: string;
  credential: string;
  /** The head of the log when the token was created. */
  cursor: string;
}

export async function mint({ request }: ServiceClient, input: object = {}): Promise<MintedToken> {
  const { createToken } = await request(
    `mutation ($input: CreateTokenInput) { createToken(input: $input) { token { id } credential cursor } }`,
    { input },
  );
  return { id: createToken.token.id, credential: createToken.credential, cursor: createToken.cursor };
}

export async function createChannel(
  { request }: ServiceClient,
  id: string,
  input: object = {},
): Promise<void> {
  await request(`mutation ($input: CreateChannelInput!) { createChannel(input: $input) { id } }`, {
    input: { id, ...input },
  });
}

export async function updateToken({ request }: ServiceClient, id: string, input: object): Promise<void> {
  await request(
    `mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }`,
    {
      id,
      input,
    },
  );
}

export async function revokeToken({ request }: ServiceClient, id: string): Promise<void> {
  await request(`mutation ($id: ID!) { revokeToken(id: $id) { id } }`, { id });
}

export async function subscribeToken(
  { request }: ServiceClient,
  channel: string,
  token: string,
): Promise<void> {
  await request(`mutation ($c: ID!, $t: ID!) { subscribeToken(channel: $c, token: $t) { createdAt } }`, {
    c: channel,
    t: token,
  });
}

export async function unsubscribeToken(
  { request }: ServiceClient,
  channel: string,
  token: string,
): Promise<void> {
  await request(`mutation ($c: ID!, $t: ID!) { unsubscribeToken(channel: $c, token: $t) { createdAt } }`, {
    c: channel,
    t: token,
  });
}

/** Publishes a message without data. Resolves to the number of live connections that it was delivered to. */
export async function publish({ request }: ServiceClient, channel: string, event: string): Promise<number> {
  const { publishMessage } = await request(
    `mutation ($c: ID!, $e: String!) { publishMessage(channel: $c, event: $e) { connections } }`,
    { c: channel, e: event },
  );
  return publishMessage.connections;
}

/**
 * Publishes a direct message to a token. As a sentinel, it proves that no other message was delivered before it. Resolves to
 * the number of live connections that it was delivered to.
 */
export async function sendDirect({ request }: ServiceClient, token: string, event: string): Promise<number> {
  const { publishDirectMessage } = await request(
    `mutation ($t: ID!, $e: String!) { publishDirectMessage(token: $t, event: $e) { connections } }`,
    { t: token, e: event },
  );
  return publishDirectMessage.connections;
}

export async function isOnline({ request }: ServiceClient, token: string): Promise<boolean> {
  return (await request(`query ($t: ID!) { isOnline(token: $t) }`, { t: token })).isOnline;
}

/** Resolves when the service has processed everything that this client sent before, so that its subscriptions are live. */
export async function roundTrip(client: Client): Promise<void> {
  await queueResults(client, `{ viewer { kind } }`).next();
}
