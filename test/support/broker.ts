import { eq } from 'drizzle-orm';
import { expect } from 'vitest';
import { type Broker } from '../../src/broker/broker.ts';
import { type LogPage, type ReadRequest } from '../../src/broker/log.ts';
import { type Address, type ChannelInstance, type Message } from '../../src/broker/message.ts';
import { type Signal } from '../../src/broker/signal.ts';
import { channels } from '../../src/channels/tables.ts';
import { type Store } from '../../src/store/store.ts';
import { draft } from './drafts.ts';

/** A broker with an empty log, as the contract suite tests it. */
export interface BrokerUnderTest extends AsyncDisposable {
  readonly broker: Broker;
  /** Internal errors that the broker reported; the caller did not cause them. */
  readonly faults: readonly unknown[];
  /** Applies retention: removes all but the newest `keep` messages of an address. */
  trim(projectId: string, address: Address, keep: number): Promise<void>;
  /** Creates the channel `lobby` of the project `one`, in place of one that exists; undefined deletes it. */
  setLobby(instance: ChannelInstance | undefined): Promise<void>;
}

export type MakeBroker = () => BrokerUnderTest | Promise<BrokerUnderTest>;

export const LOBBY = 'channel:lobby';
export const ADDRESSES = [
  LOBBY,
  'channel:attic',
  'token:token_1',
  'identity:ada',
] as const satisfies Address[];

/** Implements `BrokerUnderTest.setLobby`. */
export async function setLobby(
  { db }: Pick<Store, 'db'>,
  instance: ChannelInstance | undefined,
): Promise<void> {
  await db.delete(channels).where(eq(channels.id, 'lobby'));
  if (!instance) return;
  await db.insert(channels).values({
    projectId: 'one',
    id: 'lobby',
    type: 'PUBLIC',
    version: 1,
    ...instance,
  });
}

/** Publishes one message to each address, in order. Resolves to the published messages. */
export async function publishAll(broker: Broker, addresses: readonly Address[]): Promise<Message[]> {
  const published = await Promise.all(addresses.map((address) => broker.publish(draft({ address }))));
  return published.map(({ message }) => message);
}

/** Reads all pages. Asserts that every page advances, so that reading terminates. */
export async function readAll(
  broker: Broker,
  request: Partial<ReadRequest> & Pick<ReadRequest, 'addresses'>,
) {
  const messages: Message[] = [];
  const pages: LogPage[] = [];
  let after = request.after ?? 0;
  for (;;) {
    const page = await broker.read({ projectId: 'one', limit: 4, ...request, after });
    messages.push(...page.messages);
    pages.push(page);
    if (!page.hasMore) return { messages, pages };
    expect(page.through).toBeGreaterThan(after);
    after = page.through;
  }
}

/** Listens on behalf of `connections` connections, and records messages and signals. */
export function listen(broker: Broker, connections = 1) {
  const received: Message[] = [];
  const signals: Signal[] = [];
  const subscription = broker.listen({
    deliver(batch) {
      received.push(...batch);
      return batch.map(() => connections);
    },
    applySignal(signal) {
      signals.push(signal);
      return connections;
    },
  });
  return { received, signals, stop: () => subscription[Symbol.dispose]() };
}
