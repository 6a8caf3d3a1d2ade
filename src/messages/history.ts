import { type Broker } from '../broker/broker.ts';
import { type LogPage } from '../broker/log.ts';
import { channelAddress, type Address, type Message } from '../broker/message.ts';
import { type Access } from '../channels/access.ts';
import { badInput, SignalboxError } from '../errors.ts';
import { parsePageSize } from '../paging.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Cursors } from './cursor.ts';
import { directAddresses, floorOf, positionLostError } from './readable.ts';
import { startAfter } from './start-position.ts';

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
  maxPageBytes,
}: {
  broker: Broker;
  access: Access;
  cursors: Cursors;
  /** Of the `data` on one page: it ends early where it would be more. */
  maxPageBytes: number;
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
      const start = after == null ? 0 : await sequenceOf(projectId, after);
      found = await forwards(projectId, addresses, start, parsePageSize(first, 'first'), after != null);
    } else {
      const end = before == null ? head.sequence + 1 : await sequenceOf(projectId, before);
      found = await backwards(projectId, addresses, end, parsePageSize(last, 'last'), before != null);
    }
    const { through, ...rest } = found;
    const end = found.messages.at(-1)?.logged ?? (await broker.positionAt(projectId, through));
    return { ...rest, end: cursors.format(projectId, end) };
  }

  async function sequenceOf(projectId: string, cursor: string): Promise<number> {
    const { after, positionLost } = await startAfter({ broker, cursors }, projectId, cursor);
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
    // Each address by its own index: a log that is busy elsewhere costs nothing here.
    const reads = await Promise.all(
      [...addresses].map((only) =>
        broker.read({ projectId, after: start, addresses: new Map([only]), limit: size }),
      ),
    );
    if (isResumed && reads.some(({ lost }) => lost.length > 0)) throw positionLostError();
    const found = inOrder(reads);
    const messages = withinBytes(found.slice(0, size), maxPageBytes);
    const hasNextPage = messages.length < found.length || reads.some(({ hasMore }) => hasMore);
    const through = Math.min(...reads.map((read) => read.through));
    return { messages, hasPreviousPage: isResumed, hasNextPage, through };
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
    const found = inOrder(reads);
    // The newest are what was asked for: what there is no room for is left out at the other end.
    const messages = withinBytes(found.slice(-size).reverse(), maxPageBytes).reverse();
    const hasPreviousPage = messages.length < found.length || reads.some(({ hasMore }) => hasMore);
    return { messages, hasPreviousPage, hasNextPage: isResumed, through: Math.max(0, before - 1) };
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

function inOrder(reads: LogPage[]): Message[] {
  const sequenceOf = ({ logged }: Message) => logged?.sequence ?? 0;
  return reads.flatMap(({ messages }) => messages).sort((a, b) => sequenceOf(a) - sequenceOf(b));
}

/** The first of them that have room in `maxBytes`, and one at least. */
function withinBytes(messages: Message[], maxBytes: number): Message[] {
  let bytes = 0;
  const end = messages.findIndex(({ data }, index) => {
    bytes += JSON.stringify(data).length;
    return index > 0 && bytes > maxBytes;
  });
  return end < 0 ? messages : messages.slice(0, end);
}
