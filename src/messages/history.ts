import { type Broker } from '../broker/broker.ts';
import { channelAddress, type Address, type Message } from '../broker/message.ts';
import { type Access } from '../channels/access.ts';
import { badInput, SignalboxError } from '../errors.ts';
import { parsePageSize } from '../paging.ts';
import { type Caller } from '../tokens/caller.ts';
import { floorOf, positionLostError } from './channel-messages.ts';
import { type Cursors } from './cursor.ts';
import { directAddresses } from './direct-messages.ts';
import { startAfter } from './resume.ts';

/** `first` and `after` read forwards, `last` and `before` backwards; by default, the last 20. */
export interface HistoryRequest {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

export interface HistoryPage {
  messages: Message[];
  hasPreviousPage: boolean;
  hasNextPage: boolean;
  /** The cursor of the last message; on an empty page, of the place through which none was found. */
  end: string;
}

/** A page, and the sequence through which it looked. */
type Found = Omit<HistoryPage, 'end'> & { through: number };

export interface History {
  /** What is kept of a channel and the caller may read. @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, POSITION_LOST, BAD_USER_INPUT */
  ofChannel(caller: Caller, channelId: string, request: HistoryRequest): Promise<HistoryPage>;
  /** What is kept of direct messages to the calling token and its identity. @throws UNAUTHENTICATED, POSITION_LOST, BAD_USER_INPUT */
  ofDirectMessages(caller: Caller, request: HistoryRequest): Promise<HistoryPage>;
}

export function createHistory({
  broker,
  access,
  cursors,
}: {
  broker: Broker;
  access: Access;
  cursors: Cursors;
}): History {
  async function page(
    projectId: string,
    addresses: Map<Address, number>,
    request: HistoryRequest,
  ): Promise<HistoryPage> {
    const { first, after, last, before } = request;
    const isForwards = first != null || after != null;
    if (isForwards && (last != null || before != null))
      throw badInput('first', 'use first and after, or last and before.');
    const head = await broker.head(projectId);
    let found: Found;
    if (isForwards) {
      const start = after == null ? 0 : sequenceOf(projectId, after, head);
      found = await forwards(projectId, addresses, start, parsePageSize(first, 'first'), after != null);
    } else {
      const end = before == null ? head.sequence + 1 : sequenceOf(projectId, before, head);
      found = await backwards(projectId, addresses, end, parsePageSize(last, 'last'), before != null);
    }
    const { through, ...rest } = found;
    const end = found.messages.at(-1)?.logged ?? { epoch: head.epoch, sequence: through };
    return { ...rest, end: cursors.format(projectId, end) };
  }

  function sequenceOf(projectId: string, cursor: string, head: Awaited<ReturnType<Broker['head']>>): number {
    const { after, positionLost } = startAfter(cursors, projectId, cursor, head);
    if (positionLost) throw positionLostError();
    return after.sequence;
  }

  async function forwards(
    projectId: string,
    addresses: Map<Address, number>,
    start: number,
    size: number,
    isResumed: boolean,
  ): Promise<Found> {
    const messages: Message[] = [];
    let after = start;
    for (;;) {
      const read = await broker.read({ projectId, after, addresses, limit: size + 1 });
      if (isResumed && read.lost.length > 0) throw positionLostError();
      messages.push(...read.messages);
      after = read.through;
      if (messages.length > size || !read.hasMore) break;
    }
    return {
      messages: messages.slice(0, size),
      hasPreviousPage: isResumed,
      hasNextPage: messages.length > size,
      through: after,
    };
  }

  async function backwards(
    projectId: string,
    addresses: Map<Address, number>,
    before: number,
    size: number,
    isResumed: boolean,
  ): Promise<Found> {
    const reads = await Promise.all(
      [...addresses].map(([address, after]) => broker.readBack(projectId, address, { after, before }, size)),
    );
    const found = reads
      .flatMap(({ messages }) => messages)
      .sort((a, b) => (a.logged?.sequence ?? 0) - (b.logged?.sequence ?? 0));
    const hasPreviousPage = found.length > size || reads.some(({ hasMore }) => hasMore);
    const through = Math.max(0, before - 1);
    return { messages: found.slice(-size), hasPreviousPage, hasNextPage: isResumed, through };
  }

  return {
    async ofChannel(caller, channelId, request) {
      const encounter = await access.require(caller, 'SUBSCRIBE', channelId);
      return page(
        caller.projectId,
        new Map([[channelAddress(channelId), floorOf(caller, encounter)]]),
        request,
      );
    },
    async ofDirectMessages(caller, request) {
      if (caller.kind !== 'TOKEN')
        throw new SignalboxError('UNAUTHENTICATED', 'Direct messages are for tokens.');
      return page(caller.projectId, new Map(directAddresses(caller).map((address) => [address, 0])), request);
    },
  };
}
