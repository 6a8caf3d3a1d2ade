import { randomUUID } from 'node:crypto';
import { type Endpoint } from '../contender.ts';
import { SubscriberGroup } from './subscriber-group.ts';
import { Backend, type MintedToken } from './backend.ts';
import { type SubscriberSpec, type Operation } from './protocol.ts';
import { SUBSCRIBE_MESSAGES } from './protocols/graphql.ts';
import { untilIdle } from './meter.ts';
import { Publisher } from './publisher.ts';
import { stream } from './stream.ts';

/** Length of every message's frame in bytes, without the WebSocket header of two or four bytes. */
export const MESSAGE_BYTES = 350;

/** The subscribers of channel `bench`, and its publisher. */
export interface Fixture extends AsyncDisposable {
  readonly group: SubscriberGroup;
  readonly publisher: Publisher;
}

/** Specs for subscribers of channel `bench`. For Signalbox, creates the channel and mints a token for each of them. */
export async function createSubscriberSpecs(
  endpoint: Endpoint,
  count: number,
): Promise<(index: number) => SubscriberSpec> {
  const minted = endpoint.apiKey === undefined ? undefined : await mintFor(endpoint, count);
  return (index) => subscriberSpecOf(endpoint, minted?.[index]);
}

async function mintFor(endpoint: Endpoint, count: number): Promise<MintedToken[]> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(['bench']);
  return await backend.mintTokens(count);
}

/** A client with one subscription to channel `bench`. */
export function subscriberSpecOf(endpoint: Endpoint, token: MintedToken | undefined): SubscriberSpec {
  return {
    operations: [operationOf(endpoint, { query: SUBSCRIBE_MESSAGES, variables: { channel: 'bench' } })],
    ...(token && { connectionParams: { token: token.credential } }),
  };
}

export function operationOf({ operationIds }: Endpoint, operation: Omit<Operation, 'id'>): Operation {
  return { id: operationIds === 'unique' ? randomUUID() : '1', ...operation };
}

/**
 * Connects the subscribers and the publisher, and pads the messages to `MESSAGE_BYTES`.
 * @param publisherEndpoint the server of the publisher, if it is another node
 */
export async function createFixture(
  endpoint: Endpoint,
  count: number,
  publisherEndpoint = endpoint,
): Promise<Fixture> {
  const specs = await createSubscriberSpecs(endpoint, count);
  const group = new SubscriberGroup();
  await group.connect(endpoint, count, specs);
  await untilIdle(endpoint.pid);
  const publisher = await Publisher.open(publisherEndpoint, (message) => group.fail(message));
  await padMessages({ group, publisher });
  return {
    group,
    publisher,
    async [Symbol.asyncDispose]() {
      publisher[Symbol.dispose]();
      group[Symbol.dispose]();
    },
  };
}

/** Publishes two messages: the first to measure its length, the second to check that it is padded to `MESSAGE_BYTES`. */
export async function padMessages(
  fixture: Pick<Fixture, 'group' | 'publisher'>,
  channelOf?: (n: number) => string,
): Promise<void> {
  const once = { inFlight: 1, count: 1, ...(channelOf && { channelOf }) };
  const { group, publisher } = fixture;
  const [first] = group.subscribers;
  await stream(fixture, once);
  publisher.padBytes += MESSAGE_BYTES - first!.messageBytes;
  await stream(fixture, once);
  if (first!.messageBytes !== MESSAGE_BYTES)
    throw new Error(`Messages have ${first!.messageBytes} bytes, not ${MESSAGE_BYTES}.`);
}
