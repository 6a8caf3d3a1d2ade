import { type Client } from 'graphql-ws';
import { queueResults } from './result-queue.ts';
import { type ServiceClient } from './service.ts';

/** What a backend asks for most, with its API key, a line each. */

export interface MintedToken {
  id: string;
  credential: string;
  /** Where the log stood when it was minted. */
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

/** Resolves to the number of live connections that it was handed to. */
export async function publish({ request }: ServiceClient, channel: string, event: string): Promise<number> {
  const { publishMessage } = await request(
    `mutation ($c: ID!, $e: String!) { publishMessage(channel: $c, event: $e) { connections } }`,
    { c: channel, e: event },
  );
  return publishMessage.connections;
}

/** Says something to a token itself: what proves that nothing came before it. */
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

/** Resolves when the service has done what this client asked of it before: a subscription that it made is live. */
export async function roundTrip(client: Client): Promise<void> {
  await queueResults(client, `{ viewer { kind } }`).next();
}
