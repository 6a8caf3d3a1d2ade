import { useQuery } from '@tanstack/react-query';
import {
  ConnectionsDocument,
  type ConnectionsQuery,
  type ConnectionsQueryVariables,
} from '../../generated/operations.ts';
import { request } from '../../client/request.ts';
import { useSession } from '../../client/session-context.ts';

/** A live connection, as the list shows it. */
export type LiveConnection = ConnectionsQuery['connections']['nodes'][number];

export interface AllConnections {
  readonly connections: readonly LiveConnection[];
  /** Whether there are more than the list shows. */
  readonly isCut: boolean;
  readonly error: unknown;
  readonly isLoading: boolean;
}

/** What the list holds at most, so that neither the page nor the service is kept busy by one open window. */
const MAX_CONNECTIONS = 5_000;
/** The time between the end of one read and the start of the next. */
const REFRESH_MS = 5_000;

/** Reads all connections that match, one page after the other, again and again while `isLive`. */
export function useAllConnections(filter: ConnectionsQueryVariables, isLive: boolean): AllConnections {
  const { client } = useSession();
  const { data, error, isFetching } = useQuery({
    queryKey: [ConnectionsDocument, filter, 'all'],
    refetchInterval: isLive ? REFRESH_MS : false,
    async queryFn({ signal }) {
      const connections: LiveConnection[] = [];
      let after: string | null = null;
      do {
        const page: ConnectionsQuery = await request(client, ConnectionsDocument, { ...filter, after });
        connections.push(...page.connections.nodes);
        after = page.connections.pageInfo.hasNextPage ? page.connections.pageInfo.endCursor : null;
        signal.throwIfAborted();
      } while (after !== null && connections.length < MAX_CONNECTIONS);
      return { connections, isCut: after !== null };
    },
  });
  return {
    connections: data?.connections ?? [],
    isCut: data?.isCut ?? false,
    error: error ?? undefined,
    isLoading: isFetching,
  };
}
