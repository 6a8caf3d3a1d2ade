import { type Broker } from '../broker/broker.ts';
import { type ConnectionFilter, type Member } from '../broker/leases.ts';
import { pageOf, type Page, type PageRequest } from '../paging.ts';
import { refusalOf } from '../tokens/api-key-rights.ts';
import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { type Connection } from './connection.ts';
import { type Connections } from './registry.ts';

/** A live connection, as operators see it. */
export interface LiveConnection {
  member: Member;
  /** The channels in which the connection is present, sorted; for an API key that is limited to some channels, only those. */
  channelIds: string[];
  /** Data that only the node of the connection has; undefined for connections of other nodes. */
  local:
    | {
        subscriptions: number;
        /** Undefined over SSE. */
        queuedBytes: number | undefined;
        /** The number of the message up to which every subscription has read the log; undefined when none reads it. */
        sequence: number | undefined;
        /** Whether every subscription that reads the log is live. */
        isCaughtUp: boolean;
      }
    | undefined;
}

/**
 * Lists the live connections of a project, sorted by id.
 * @throws UNAUTHENTICATED, FORBIDDEN unless the caller is an API key with the scope READ
 */
export async function listConnections(
  { broker, connections }: { broker: Broker; connections: Pick<Connections, 'byId'> },
  caller: Caller,
  { first, after }: PageRequest,
  filter: ConnectionFilter,
): Promise<Page<LiveConnection>> {
  requireApiKey(caller, 'READ', filter.channelId);
  const rows = await broker.leases.list(caller.projectId, filter, { after, limit: first + 1 });
  const { items, hasMore } = pageOf(rows, first);
  const { apiKey } = caller;
  const mayRead = (channelId: string) => refusalOf(apiKey, 'READ', channelId) === undefined;
  const describe = ({ member, channelIds }: (typeof items)[number]): LiveConnection => {
    const connection = connections.byId.get(member.connectionId);
    return {
      member,
      channelIds: channelIds.filter(mayRead).sort(),
      local: connection && describeLocal(connection),
    };
  };
  return { items: items.map(describe), hasMore };
}

function describeLocal({ streams, sendQueue }: Connection): LiveConnection['local'] {
  const progress = [...streams].flatMap((stream) => stream.progress() ?? []);
  const sequences = progress.map(({ sequence }) => sequence);
  return {
    subscriptions: streams.size,
    queuedBytes: sendQueue?.queuedBytes,
    sequence: sequences.length > 0 ? Math.min(...sequences) : undefined,
    isCaughtUp: progress.every(({ isCaughtUp }) => isCaughtUp),
  };
}
