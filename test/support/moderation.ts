import { type Client } from 'graphql-ws';
import { queueResults, queuePayloadResults, type ResultQueue } from './result-queue.ts';
import { signingSecretOf } from './external-credentials.ts';
import { forge } from './forge.ts';
import { API_KEY, type Answer, type ServiceClient } from './service.ts';

/** The moderation operations and the events that they cause. */

const RESTRICTION = '{ kind token identity channel reason until }';

export const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  ... on Connected { connection { id } channels { id } cursor }
  ... on ChannelAvailable { channel { id } }
  ... on ChannelUnavailable { channel { id } reason }
  ... on ChannelMessage { message { event channel } }
  ... on ChannelStateUpdated { channel { id } }
  ... on DirectMessage { message { event data cursor channel sender { kind token identity } } }
  ... on Restricted { restriction ${RESTRICTION} }
  ... on RestrictionLifted { restriction ${RESTRICTION} }
  ... on Disconnecting { reason note }
} }`;

const TARGET = 'token: $token, identity: $identity';
const TARGET_VARIABLES = '$token: ID, $identity: String';
const restrictMutation = (field: string, channel: string) =>
  `mutation (${TARGET_VARIABLES}, $channel: ${channel}, $until: DateTime, $reason: String) {
    result: ${field}(${TARGET}, channel: $channel, until: $until, reason: $reason) ${RESTRICTION}
  }`;
const liftMutation = (field: string, channel: string) =>
  `mutation (${TARGET_VARIABLES}, $channel: ${channel}) { result: ${field}(${TARGET}, channel: $channel) ${RESTRICTION} }`;

const DOCUMENTS = {
  mute: restrictMutation('mute', 'ID'),
  unmute: liftMutation('unmute', 'ID'),
  ban: restrictMutation('ban', 'ID!'),
  unban: liftMutation('unban', 'ID!'),
  disconnect: `mutation (${TARGET_VARIABLES}, $connection: ID, $channel: ID, $reason: String) {
    result: disconnect(${TARGET}, connection: $connection, channel: $channel, reason: $reason)
  }`,
  restrictions: `query (${TARGET_VARIABLES}, $channel: ID, $first: Int, $after: String) {
    result: restrictions(${TARGET}, channel: $channel, first: $first, after: $after) {
      nodes ${RESTRICTION} pageInfo { hasNextPage endCursor }
    }
  }`,
};
export type ModerationField = keyof typeof DOCUMENTS;
export const MODERATION_FIELDS = Object.keys(DOCUMENTS) as ModerationField[];

export interface ModerationArguments {
  token?: string;
  identity?: string;
  connection?: string;
  channel?: string;
  until?: string;
  reason?: string;
  first?: number;
  after?: string | null;
}

/** Executes a moderation operation, with the API key by default, and returns the answer with its errors. */
export function tryModerate(
  service: ServiceClient,
  field: ModerationField,
  args: ModerationArguments,
  bearer?: string | null,
): Promise<Answer> {
  return service.ask(DOCUMENTS[field], args, bearer);
}

/** Executes a moderation operation and returns its result. Rejects if the operation has errors. */
export async function moderate(
  service: ServiceClient,
  field: ModerationField,
  args: ModerationArguments,
  bearer?: string | null,
): Promise<any> {
  return (await service.request(DOCUMENTS[field], args, bearer)).result;
}

/** Resolves to `done`, or to the code of the first error. */
export async function outcomeOf(answer: Promise<Answer> | Answer): Promise<unknown> {
  const { errors } = await answer;
  return errors ? errors[0]?.extensions['code'] : 'done';
}

/** The outcome of one operation on a live socket: `done`, the code of the first error, or the close code. */
export async function outcomeOn(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<unknown> {
  const answer = queuePayloadResults(client, { query, variables });
  return answer.next().then(
    () => 'done',
    async () => {
      const ended: any = await answer.ended;
      return Array.isArray(ended) ? outcomeOf({ errors: ended }) : ended.code;
    },
  );
}

/** A document that publishes a message to a channel. */
export const publishMutation = (channel: string, event = 'hello') =>
  `mutation { publishMessage(channel: "${channel}", event: "${event}") { connections } }`;

/** The `events` subscription of one live socket, after its first event. */
export interface Inbox {
  readonly client: Client;
  readonly connection: string;
  readonly connected: { channels: { id: string }[]; cursor: string };
  readonly events: ResultQueue<any>;
  next(): Promise<any>;
}

/** Connects with a credential, subscribes to `events` and waits for `Connected`. */
export async function openInbox(
  service: ServiceClient,
  token: string,
  since?: string,
  query = EVENTS,
): Promise<Inbox> {
  const client = service.client({ token });
  const events = queueResults(client, query, { since });
  const next = async () => (await events.next()).events;
  const connected = await next();
  return { client, connection: connected.connection.id, connected, events, next };
}

/** A credential that a backend signs itself, with the API key of the tests. */
export function signWithApiKey(claims: { sub: string; [claim: string]: unknown }, apiKey = API_KEY): string {
  return forge({ alg: 'HS256', kid: apiKey.slice(0, apiKey.indexOf('.')) }, claims, signingSecretOf(apiKey));
}
