import { type Client } from 'graphql-ws';
import { take } from './events.ts';
import { type Doors } from './service.ts';

/** What a backend asks for most, with its API key, a line each. */

export interface Minted {
  id: string;
  credential: string;
  /** Where the log stood when it was minted. */
  cursor: string;
}

export async function mint({ request }: Doors, input: object = {}): Promise<Minted> {
  const { createToken } = await request(
    `mutation ($input: CreateTokenInput) { createToken(input: $input) { token { id } credential cursor } }`,
    { input },
  );
  return { id: createToken.token.id, credential: createToken.credential, cursor: createToken.cursor };
}

export async function createChannel({ request }: Doors, id: string, input: object = {}): Promise<void> {
  await request(`mutation ($input: CreateChannelInput!) { createChannel(input: $input) { id } }`, {
    input: { id, ...input },
  });
}

export async function updateToken({ request }: Doors, id: string, input: object): Promise<void> {
  await request(
    `mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }`,
    {
      id,
      input,
    },
  );
}

export async function revokeToken({ request }: Doors, id: string): Promise<void> {
  await request(`mutation ($id: ID!) { revokeToken(id: $id) { id } }`, { id });
}

export async function subscribeToken({ request }: Doors, channel: string, token: string): Promise<void> {
  await request(`mutation ($c: ID!, $t: ID!) { subscribeToken(channel: $c, token: $t) { createdAt } }`, {
    c: channel,
    t: token,
  });
}

/** Resolves to the number of live connections that it was handed to. */
export async function publish({ request }: Doors, channel: string, event: string): Promise<number> {
  const { publishMessage } = await request(
    `mutation ($c: ID!, $e: String!) { publishMessage(channel: $c, event: $e) { connections } }`,
    { c: channel, e: event },
  );
  return publishMessage.connections;
}

/** Says something to a token itself: what proves that nothing came before it. */
export async function whisper({ request }: Doors, token: string, event: string): Promise<number> {
  const { publishDirectMessage } = await request(
    `mutation ($t: ID!, $e: String!) { publishDirectMessage(token: $t, event: $e) { connections } }`,
    { t: token, e: event },
  );
  return publishDirectMessage.connections;
}

export async function isOnline({ request }: Doors, token: string): Promise<boolean> {
  return (await request(`query ($t: ID!) { isOnline(token: $t) }`, { t: token })).isOnline;
}

/** Resolves when the service has done what this client asked of it before: a subscription that it made is live. */
export async function settled(client: Client): Promise<void> {
  await take(client, `{ viewer { kind } }`).next();
}
