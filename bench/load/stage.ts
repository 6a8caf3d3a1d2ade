import { randomUUID } from 'node:crypto';
import { type Endpoint } from '../contender.ts';
import { Audience } from './audience.ts';
import { Backend, type Ticket } from './backend.ts';
import { type Guest, type Operation } from './dialect.ts';
import { SUBSCRIBE_MESSAGES } from './dialects/graphql.ts';
import { untilIdle } from './meter.ts';
import { Publisher } from './publisher.ts';
import { stream } from './stream.ts';

/** Length of every message on the wire, without the two or four bytes of the WebSocket header. */
export const MESSAGE_BYTES = 350;

/** Where a scenario plays: whoever listens to channel `bench`, and who speaks there. */
export interface Stage extends AsyncDisposable {
  readonly audience: Audience;
  readonly publisher: Publisher;
}

/** Who the subscribers of channel `bench` are; for Signalbox each has a token of its own, minted here. */
export async function inviteGuests(endpoint: Endpoint, count: number): Promise<(index: number) => Guest> {
  const tickets = endpoint.apiKey === undefined ? undefined : await mintFor(endpoint, count);
  return (index) => guestOf(endpoint, tickets?.[index]);
}

async function mintFor(endpoint: Endpoint, count: number): Promise<Ticket[]> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(['bench']);
  return await backend.mint(count);
}

/** One subscription to channel `bench`. */
export function guestOf(endpoint: Endpoint, ticket: Ticket | undefined): Guest {
  return {
    operations: [operationOf(endpoint, { query: SUBSCRIBE_MESSAGES, variables: { channel: 'bench' } })],
    ...(ticket && { connectionParams: { token: ticket.credential } }),
  };
}

export function operationOf({ operationIds }: Endpoint, operation: Omit<Operation, 'id'>): Operation {
  return { id: operationIds === 'unique' ? randomUUID() : '1', ...operation };
}

/** Everybody is in, has heard the first messages, and a message is `MESSAGE_BYTES` long. */
export async function setStage(endpoint: Endpoint, count: number): Promise<Stage> {
  const guests = await inviteGuests(endpoint, count);
  const audience = new Audience();
  await audience.join(endpoint, count, guests);
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

/** Publishes twice: to see how long a message is, and that it is as long as it shall be. */
export async function fitMessages(
  stage: Pick<Stage, 'audience' | 'publisher'>,
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
