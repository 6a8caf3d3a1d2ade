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
const ARGUMENTS = 'event: $event, data: $data, ephemeral: $ephemeral, idempotencyKey: $idempotencyKey';
const PUBLISH = `mutation ($channel: ID!, ${OPTIONS}) { said: publishMessage(channel: $channel, ${ARGUMENTS}) ${RECEIPT} }`;
const PUBLISH_DIRECT = `mutation ($token: ID, $identity: String, $connection: ID, ${OPTIONS}) {
  said: publishDirectMessage(token: $token, identity: $identity, connection: $connection, ${ARGUMENTS}) ${RECEIPT}
}`;

export interface PublishOptions {
  event?: string;
  ephemeral?: boolean;
  idempotencyKey?: string;
}

/** The channel of a message, or the address of a direct message. */
export type PublishTarget =
  { channel: string } | { token: string } | { identity: string } | { connection: string };

/** The operation that publishes a message, for tests that send it themselves. */
export function publishRequest(
  to: PublishTarget,
  data: unknown,
  { event = 'said', ...options }: PublishOptions = {},
): { query: string; variables: Record<string, unknown> } {
  return { query: 'channel' in to ? PUBLISH : PUBLISH_DIRECT, variables: { ...to, event, data, ...options } };
}

/** Publishes one message over HTTP. Rejects if it is refused. */
export async function publishTo(
  client: ServiceClient,
  to: PublishTarget,
  data: unknown,
  options?: PublishOptions,
  bearer?: string,
): Promise<PublishResult> {
  const { query, variables } = publishRequest(to, data, options);
  return (await client.request(query, variables, bearer)).said;
}

/** Publishes one message on a live socket. Rejects if it is refused. */
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
  throw new Error('The operation completed without a result.');
}

/** The default limit of aliases in one document. */
const BATCH_SIZE = 25;

/** Publishes messages in order, a batch of them per request. Resolves to the messages. */
export async function publishMany(
  { request }: ServiceClient,
  messages: readonly { to: PublishTarget; data: unknown }[],
  event = 'said',
): Promise<ReceivedMessage[]> {
  const published: ReceivedMessage[] = [];
  for (let start = 0; start < messages.length; start += BATCH_SIZE) {
    const batch = messages.slice(start, start + BATCH_SIZE);
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
    published.push(...Object.values(answers).map(({ message }) => message));
  }
  return published;
}

/** Publishes `count` numbers to a channel, starting at `from`, each as the data of one message. */
export function publishNumbers(
  client: ServiceClient,
  channel: string,
  count: number,
  from = 0,
): Promise<ReceivedMessage[]> {
  return publishMany(
    client,
    numbers(count, from).map((data) => ({ to: { channel }, data })),
  );
}

/** `count` consecutive integers, starting at `from`. */
export const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, i) => from + i);
