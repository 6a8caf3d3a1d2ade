import { type Client } from 'graphql-ws';
import { type ReceivedMessage } from './resuming-subscription.ts';
import { type ServiceClient } from './service.ts';

export interface PublishResult {
  message: ReceivedMessage;
  connections: number;
  repeated: boolean;
}

const RECEIPT = `{ connections repeated message { id cursor previous channel event data } }`;
const OPTIONS = '$event: String!, $data: JSON, $ephemeral: Boolean, $idempotencyKey: String';
const GIVEN = 'event: $event, data: $data, ephemeral: $ephemeral, idempotencyKey: $idempotencyKey';
const SAY = `mutation ($channel: ID!, ${OPTIONS}) { said: publishMessage(channel: $channel, ${GIVEN}) ${RECEIPT} }`;
const SAY_TO = `mutation ($token: ID, $identity: String, $connection: ID, ${OPTIONS}) {
  said: publishDirectMessage(token: $token, identity: $identity, connection: $connection, ${GIVEN}) ${RECEIPT}
}`;

export interface PublishOptions {
  event?: string;
  ephemeral?: boolean;
  idempotencyKey?: string;
}

/** Where a message goes. */
export type PublishTarget =
  { channel: string } | { token: string } | { identity: string } | { connection: string };

/** What to ask to have it said, for whoever asks in another way. */
export function publishRequest(
  to: PublishTarget,
  data: unknown,
  { event = 'said', ...options }: PublishOptions = {},
): { query: string; variables: Record<string, unknown> } {
  return { query: 'channel' in to ? SAY : SAY_TO, variables: { ...to, event, data, ...options } };
}

/** Says one thing, over HTTP. */
export async function publishTo(
  doors: ServiceClient,
  to: PublishTarget,
  data: unknown,
  options?: PublishOptions,
  bearer?: string,
): Promise<PublishResult> {
  const { query, variables } = publishRequest(to, data, options);
  return (await doors.request(query, variables, bearer)).said;
}

/** Says one thing, on a live socket. */
export async function publishOnSocket(
  client: Client,
  to: PublishTarget,
  data: unknown,
  options?: PublishOptions,
): Promise<PublishResult> {
  const results = client.iterate<{ said: PublishResult }>(publishRequest(to, data, options));
  for await (const { data: answer, errors } of results) {
    if (answer) return answer.said;
    throw new Error(JSON.stringify(errors));
  }
  throw new Error('There was no answer.');
}

/** Aliases that a document may have by default. */
const BATCH = 25;

/** Says one thing after another, many to a request. */
export async function publishMany(
  { request }: ServiceClient,
  all: readonly { to: PublishTarget; data: unknown }[],
  event = 'said',
): Promise<ReceivedMessage[]> {
  const said: ReceivedMessage[] = [];
  for (let start = 0; start < all.length; start += BATCH) {
    const batch = all.slice(start, start + BATCH);
    const declared = batch
      .flatMap(({ to }, i) => [`$to${i}: ${'identity' in to ? 'String!' : 'ID!'}`, `$data${i}: JSON`])
      .join(', ');
    const fields = batch.map(({ to }, i) => {
      const mutation = 'channel' in to ? 'publishMessage' : 'publishDirectMessage';
      const address = Object.keys(to)[0]!;
      return `m${i}: ${mutation}(${address}: $to${i}, event: "${event}", data: $data${i}) ${RECEIPT}`;
    });
    const variables = batch.flatMap(({ to, data }, i) => [
      [`to${i}`, Object.values<string>(to)[0]],
      [`data${i}`, data],
    ]);
    const answers = await request<Record<string, PublishResult>>(
      `mutation (${declared}) { ${fields.join(' ')} }`,
      Object.fromEntries(variables),
    );
    said.push(...Object.values(answers).map(({ message }) => message));
  }
  return said;
}

/** Says `from`, `from` + 1, … in a channel: `count` numbers. */
export function publishNumbers(
  doors: ServiceClient,
  channel: string,
  count: number,
  from = 0,
): Promise<ReceivedMessage[]> {
  return publishMany(
    doors,
    numbers(count, from).map((data) => ({ to: { channel }, data })),
  );
}

/** `from`, `from` + 1, … */
export const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, i) => from + i);
