import { randomUUID } from 'node:crypto';
import { type Endpoint } from '../contender.ts';
import { Audience } from './audience.ts';
import { Backend, type MintedCredential } from './backend.ts';
import { type SubscriberSpec, type Operation } from './dialect.ts';
import { SUBSCRIBE_MESSAGES } from './dialects/graphql.ts';
import { untilIdle } from './meter.ts';
import { Publisher } from './publisher.ts';
import { stream } from './stream.ts';

/** Length of every message on the wire, without the two or four bytes of the WebSocket header. */
export const MESSAGE_BYTES = 350;

/** The subscribers of channel `bench` and its publisher. */
export interface Fixture extends AsyncDisposable {
  readonly audience: Audience;
  readonly publisher: Publisher;
}

/** The subscribers of channel `bench`. With Signalbox each has its own token, minted here. */
export async function prepareSubscribers(
  endpoint: Endpoint,
  count: number,
): Promise<(index: number) => SubscriberSpec> {
  const credentials = endpoint.apiKey === undefined ? undefined : await mintFor(endpoint, count);
  return (index) => subscriberSpecOf(endpoint, credentials?.[index]);
}

async function mintFor(endpoint: Endpoint, count: number): Promise<MintedCredential[]> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(['bench']);
  return await backend.mint(count);
}

/** One subscription to channel `bench`. */
export function subscriberSpecOf(
  endpoint: Endpoint,
  credential: MintedCredential | undefined,
): SubscriberSpec {
  return {
    operations: [operationOf(endpoint, { query: SUBSCRIBE_MESSAGES, variables: { channel: 'bench' } })],
    ...(credential && { connectionParams: { token: credential.credential } }),
  };
}

export function operationOf({ operationIds }: Endpoint, operation: Omit<Operation, 'id'>): Operation {
  return { id: operationIds === 'unique' ? randomUUID() : '1', ...operation };
}

/** Connects all subscribers, delivers the first messages to them and pads messages to `MESSAGE_BYTES`. */
export async function openFixture(endpoint: Endpoint, count: number): Promise<Fixture> {
  const specs = await prepareSubscribers(endpoint, count);
  const audience = new Audience();
  await audience.join(endpoint, count, specs);
  await untilIdle(endpoint.pid);
  const publisher = await Publisher.open(endpoint, (what) => audience.fault(what));
  await fitMessages({ audience, publisher });
  return {
    audience,
    publisher,
    async [Symbol.asyncDispose]() {
      publisher[Symbol.dispose]();
      audience[Symbol.dispose]();
    },
  };
}

/** Publishes twice: once to measure the length of a message, and once to check the padded length. */
export async function fitMessages(
  stage: Pick<Fixture, 'audience' | 'publisher'>,
  channelOf?: (n: number) => string,
): Promise<void> {
  const once = { inFlight: 1, count: 1, ...(channelOf && { channelOf }) };
  const { audience, publisher } = stage;
  const [first] = audience.subscribers;
  await stream(stage, once);
  publisher.padBytes += MESSAGE_BYTES - first!.messageBytes;
  await stream(stage, once);
  if (first!.messageBytes !== MESSAGE_BYTES) throw new Error(`Messages have ${first!.messageBytes} bytes.`);
}
