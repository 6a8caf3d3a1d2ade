import { expect } from 'vitest';
import { type Broker } from '../../src/broker/broker.ts';
import { type LogPage, type ReadRequest } from '../../src/broker/log.ts';
import { type Address, type Message } from '../../src/broker/message.ts';
import { draft } from './drafts.ts';

/** A broker whose log is empty. */
export interface BrokerUnderTest extends AsyncDisposable {
  readonly broker: Broker;
  /** What went wrong that was nobody's fault who asked. */
  readonly faults: readonly unknown[];
  /** Retention: removes all but the newest `keep` messages of an address. */
  trim(projectId: string, address: Address, keep: number): Promise<void>;
}

export type MakeBroker = () => BrokerUnderTest | Promise<BrokerUnderTest>;

export const LOBBY = 'channel:lobby';
export const ADDRESSES = [
  LOBBY,
  'channel:attic',
  'token:token_1',
  'identity:ada',
] as const satisfies Address[];

/** Says something at each address, in turn; yields the log. */
export async function publishAll(broker: Broker, addresses: readonly Address[]): Promise<Message[]> {
  const published = await Promise.all(addresses.map((address) => broker.publish(draft({ address }))));
  return published.map(({ message }) => message);
}

/** Reads on until there is no more. Every page must get further, so that reading ends. */
export async function readAll(broker: Broker, asked: Partial<ReadRequest> & Pick<ReadRequest, 'addresses'>) {
  const messages: Message[] = [];
  const pages: LogPage[] = [];
  let after = asked.after ?? 0;
  for (;;) {
    const page = await broker.read({ projectId: 'one', limit: 4, ...asked, after });
    messages.push(...page.messages);
    pages.push(page);
    if (!page.hasMore) return { messages, pages };
    expect(page.through).toBeGreaterThan(after);
    after = page.through;
  }
}
