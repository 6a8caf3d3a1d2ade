import { type Client } from 'graphql-ws';
import { queueResults, queuePayloadResults, type ResultQueue } from './result-queue.ts';
import { forge } from './forge.ts';
import { API_KEY, type Answer, type ServiceClient } from './service.ts';

/** What keeps order, as it is asked for, and what its answers and events look like to tests. */

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
const PUT = (field: string, channel: string) =>
  `mutation (${TARGET_VARIABLES}, $channel: ${channel}, $until: DateTime, $reason: String) {
    act: ${field}(${TARGET}, channel: $channel, until: $until, reason: $reason) ${RESTRICTION}
  }`;
const LIFT = (field: string, channel: string) =>
  `mutation (${TARGET_VARIABLES}, $channel: ${channel}) { act: ${field}(${TARGET}, channel: $channel) ${RESTRICTION} }`;

const ACTS = {
  mute: PUT('mute', 'ID'),
  unmute: LIFT('unmute', 'ID'),
  ban: PUT('ban', 'ID!'),
  unban: LIFT('unban', 'ID!'),
  disconnect: `mutation (${TARGET_VARIABLES}, $connection: ID, $channel: ID, $reason: String) {
    act: disconnect(${TARGET}, connection: $connection, channel: $channel, reason: $reason)
  }`,
  restrictions: `query (${TARGET_VARIABLES}, $channel: ID, $first: Int, $after: String) {
    act: restrictions(${TARGET}, channel: $channel, first: $first, after: $after) {
      nodes ${RESTRICTION} pageInfo { hasNextPage endCursor }
    }
  }`,
};
export type ModerationField = keyof typeof ACTS;
export const MODERATION_FIELDS = Object.keys(ACTS) as ModerationField[];

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

/** Asks for it, by the API key unless another bearer is given, and yields the answer whatever it is. */
export function tryModerate(
  doors: ServiceClient,
  act: ModerationField,
  given: ModerationArguments,
  bearer?: string | null,
): Promise<Answer> {
  return doors.ask(ACTS[act], given, bearer);
}

/** Has it done. Fails when it is refused. */
export async function moderate(
  doors: ServiceClient,
  act: ModerationField,
  given: ModerationArguments,
  bearer?: string | null,
): Promise<any> {
  return (await doors.request(ACTS[act], given, bearer)).act;
}

/** `done`, or the code of the first error. */
export async function outcomeOf(answer: Promise<Answer> | Answer): Promise<unknown> {
  const { errors } = await answer;
  return errors ? errors[0]?.extensions['code'] : 'done';
}

/** What becomes of one query or mutation on a live socket: `done`, the code of the first error, or that of the close. */
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

/** Says something in a channel. */
export const publishMutation = (channel: string, event = 'hello') =>
  `mutation { publishMessage(channel: "${channel}", event: "${event}") { connections } }`;

/** The inbox of one live socket, past its first event. */
export interface Inbox {
  readonly client: Client;
  readonly connection: string;
  readonly connected: { channels: { id: string }[]; cursor: string };
  readonly events: ResultQueue<any>;
  next(): Promise<any>;
}

/** Connects with a credential and opens `events`. */
export async function openInbox(
  doors: ServiceClient,
  token: string,
  since?: string,
  query = EVENTS,
): Promise<Inbox> {
  const client = doors.client({ token });
  const events = queueResults(client, query, { since });
  const next = async () => (await events.next()).events;
  const connected = await next();
  return { client, connection: connected.connection.id, connected, events, next };
}

/** A credential that a backend signs by itself, with the API key of the tests. */
export function signWithApiKey(claims: { sub: string; [claim: string]: unknown }, apiKey = API_KEY): string {
  return forge({ alg: 'HS256', kid: apiKey.slice(0, apiKey.indexOf('.')) }, claims, apiKey);
}
