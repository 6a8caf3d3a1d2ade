import { type Broker } from '../broker/broker.ts';
import { type HistoryBounds, type LogPage } from '../broker/log.ts';
import { channelAddress, type Address, type Message } from '../broker/message.ts';
import { type Access } from '../channels/access.ts';
import { type Clock } from '../clock.ts';
import { badInput } from '../errors.ts';
import { parsePageSize } from '../paging.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Cursors } from './cursor.ts';
import {
  directAddressesOf,
  directMessagesRefused,
  hiddenThrough,
  historyBounds,
  positionLost,
} from './visible-range.ts';
import { sequenceOfCursor } from './start-position.ts';

/** `first` and `after` read forwards, `last` and `before` backwards. Page sizes are 1–100; default: the last 20 messages. */
export interface HistoryRequest {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

export interface HistoryPage {
  messages: Message[];
  /** Whether the caller may read messages before the page: known, or read by the function. */
  hasPreviousPage: boolean | (() => Promise<boolean>);
  /** Whether messages follow the page. */
  hasNextPage: boolean | (() => Promise<boolean>);
  /** The cursor of the last message; for an empty page, the cursor of the position up to which the log was read. */
  end: string;
}

/** A page without its end cursor, and the sequence number up to which the log was read. */
type HistoryRead = Omit<HistoryPage, 'end'> & { through: number };

export interface History {
  /**
   * The retained messages of a channel that the caller may read.
   * @throws FORBIDDEN, UNAUTHENTICATED or NOT_FOUND unless the caller may SUBSCRIBE
   * @throws POSITION_LOST when messages after `after` are no longer retained
   * @throws BAD_USER_INPUT for invalid page sizes, cursors or combinations of arguments
   */
  ofChannel(caller: Caller, channelId: string, request: HistoryRequest): Promise<HistoryPage>;
  /**
   * The retained direct messages to the calling token and its identity.
   * @throws UNAUTHENTICATED when the caller is not a token
   * @throws POSITION_LOST, BAD_USER_INPUT as `ofChannel`
   */
  ofDirectMessages(caller: Caller, request: HistoryRequest): Promise<HistoryPage>;
}

export function createHistory({
  broker,
  access,
  cursors,
  clock,
  maxPageBytes,
}: {
  broker: Broker;
  access: Access;
  cursors: Cursors;
  clock: Clock;
  /** Maximum size of all `data` on one page as JSON, in characters; a page with more data ends early. */
  maxPageBytes: number;
}): History {
  async function page(
    projectId: string,
    floors: Map<Address, number>,
    request: HistoryRequest,
    bounds?: HistoryBounds,
  ): Promise<HistoryPage> {
    const { first, after, last, before } = request;
    const isForwards = first != null || after != null;
    if (isForwards && (last != null || before != null))
      throw badInput('first', 'use either first and after, or last and before.');
    const head = await broker.head(projectId);
    const addresses = bounds ? await withoutExpired(projectId, floors, bounds) : floors;
    let read: HistoryRead;
    if (isForwards) {
      const start = after == null ? 0 : await sequenceOf(projectId, after, 'after');
      const isLost = ([address, floor]: [Address, number]) =>
        floor > Math.max(start, floors.get(address) ?? 0);
      if (after != null && [...addresses].some(isLost)) throw positionLost();
      read = await readForwards(projectId, addresses, start, parsePageSize(first, 'first'), after != null);
    } else {
      const end = before == null ? head.sequence + 1 : await sequenceOf(projectId, before, 'before');
      read = await readBackwards(projectId, addresses, end, parsePageSize(last, 'last'), before != null);
    }
    const { through, ...rest } = read;
    const end = read.messages.at(-1)?.logged ?? (await broker.positionAt(projectId, through));
    return { ...rest, end: cursors.format(projectId, end) };
  }

  /** The floors, raised so that they exclude what the history policy no longer promises. */
  async function withoutExpired(
    projectId: string,
    floors: Map<Address, number>,
    bounds: HistoryBounds,
  ): Promise<Map<Address, number>> {
    const raised = new Map<Address, number>();
    for (const [address, floor] of floors)
      raised.set(address, await broker.expiredThrough(projectId, address, bounds, floor));
    return raised;
  }

  const sequenceOf = (projectId: string, cursor: string, field: 'after' | 'before') =>
    sequenceOfCursor({ broker, cursors }, projectId, cursor, field);

  /** Whether a visible message exists between two sequence numbers, both excluded. */
  async function hasAny(
    projectId: string,
    addresses: Map<Address, number>,
    { after, before }: { after: number; before: number },
  ): Promise<boolean> {
    for (const [address, floor] of addresses) {
      const range = { after: Math.max(after, floor), before };
      if ((await broker.readBack(projectId, address, range, 1)).messages.length > 0) return true;
    }
    return false;
  }

  async function readForwards(
    projectId: string,
    addresses: Map<Address, number>,
    start: number,
    size: number,
    isResumed: boolean,
  ): Promise<HistoryRead> {
    // One read per address uses the address index, so traffic at other addresses adds no cost.
    const reads = await Promise.all(
      [...addresses].map(([address, floor]) =>
        // After the floor: hidden messages must not use up the page.
        broker.read({
          projectId,
          after: Math.max(start, floor),
          addresses: new Map([[address, floor]]),
          limit: size,
        }),
      ),
    );
    if (isResumed && reads.some(({ lost }) => lost.length > 0)) throw positionLost();
    const found = inLogOrder(reads);
    const messages = withinBytes(found.slice(0, size), maxPageBytes);
    const hasNextPage = messages.length < found.length || reads.some(({ hasMore }) => hasMore);
    const through = Math.min(...reads.map((read) => read.through));
    const hasPreviousPage =
      isResumed && (() => hasAny(projectId, addresses, { after: 0, before: start + 1 }));
    return { messages, hasPreviousPage, hasNextPage, through };
  }

  async function readBackwards(
    projectId: string,
    addresses: Map<Address, number>,
    before: number,
    size: number,
    isResumed: boolean,
  ): Promise<HistoryRead> {
    const reads = await Promise.all(
      [...addresses].map(([address, after]) => broker.readBack(projectId, address, { after, before }, size)),
    );
    const found = inLogOrder(reads);
    // A backwards page ends at the newest message, so the byte limit drops the oldest messages.
    const messages = withinBytes(found.slice(-size).reverse(), maxPageBytes).reverse();
    const hasPreviousPage = messages.length < found.length || reads.some(({ hasMore }) => hasMore);
    const later = { after: before - 1, before: Number.MAX_SAFE_INTEGER };
    const hasNextPage = isResumed && (() => hasAny(projectId, addresses, later));
    return { messages, hasPreviousPage, hasNextPage, through: Math.max(0, before - 1) };
  }

  return {
    async ofChannel(caller, channelId, request) {
      const channelAccess = await access.require(caller, 'SUBSCRIBE', channelId);
      const bounds = historyBounds(channelAccess.channel, clock.now());
      const floors = new Map([[channelAddress(channelId), hiddenThrough(caller, channelAccess)]]);
      return page(caller.projectId, floors, request, bounds);
    },
    async ofDirectMessages(caller, request) {
      if (caller.kind !== 'TOKEN') throw directMessagesRefused(caller);
      return page(
        caller.projectId,
        new Map(directAddressesOf(caller).map((address) => [address, 0])),
        request,
      );
    },
  };
}

function inLogOrder(reads: LogPage[]): Message[] {
  const sequenceOf = ({ logged }: Message) => logged?.sequence ?? 0;
  return reads.flatMap(({ messages }) => messages).sort((a, b) => sequenceOf(a) - sequenceOf(b));
}

/** The longest prefix whose data fits in `maxBytes`, but at least one message. */
function withinBytes(messages: Message[], maxBytes: number): Message[] {
  let bytes = 0;
  const end = messages.findIndex(({ data }, index) => {
    bytes += JSON.stringify(data).length;
    return index > 0 && bytes > maxBytes;
  });
  return end < 0 ? messages : messages.slice(0, end);
}
