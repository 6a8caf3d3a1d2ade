import { useQuery } from '@tanstack/react-query';
import {
  ConnectionsDocument,
  type ConnectionsQuery,
  type ConnectionsQueryVariables,
} from '../../generated/operations.ts';
import { request, type Client } from '../../client/request.ts';
import { useSession } from '../../client/session-context.ts';

/** A live connection, as the list shows it. */
export type LiveConnection = ConnectionsQuery['connections']['nodes'][number];

export interface AllConnections {
  readonly connections: readonly LiveConnection[];
  /** Whether there are more than the list shows. */
  readonly isCut: boolean;
  readonly error: unknown;
  readonly isLoading: boolean;
  /** Seconds between the end of one read and the start of the next. */
  readonly pauseSeconds: number;
}

/** What the list holds at most, so that neither the page nor the service is kept busy by one open window. */
const MAX_CONNECTIONS = 5_000;
/** The shortest time between the end of one read and the start of the next. */
const MIN_PAUSE_MS = 5_000;
/**
 * A page of 100 connections takes the service 3 ms of CPU, so an open window takes at most 0.6 % of a core. The
 * duration of a read says less: on a slow network it is long, and costs the service nothing.
 */
const PAUSE_PER_PAGE_MS = 500;

const NONE: readonly LiveConnection[] = [];

/** Reads all connections that match, one page after the other, again and again while `isLive`. */
export function useAllConnections(filter: ConnectionsQueryVariables, isLive: boolean): AllConnections {
  const { client } = useSession();
  const { data, error, isFetching } = useQuery<ReadConnections>({
    queryKey: [ConnectionsDocument, filter, 'all'],
    refetchInterval: ({ state }) => (isLive ? (state.data?.pauseMs ?? MIN_PAUSE_MS) : false),
    // Comparing thousands of rows with those before takes longer than to draw them.
    structuralSharing: false,
    queryFn: ({ signal }) => readAll(client, filter, signal),
  });
  return {
    connections: data?.connections ?? NONE,
    isCut: data?.isCut ?? false,
    error: error ?? undefined,
    isLoading: isFetching,
    pauseSeconds: Math.round((data?.pauseMs ?? MIN_PAUSE_MS) / 1_000),
  };
}

interface ReadConnections {
  readonly connections: readonly LiveConnection[];
  readonly isCut: boolean;
  readonly pauseMs: number;
}

async function readAll(
  client: Client,
  filter: ConnectionsQueryVariables,
  signal: AbortSignal,
): Promise<ReadConnections> {
  let pages = 0;
  const connections: LiveConnection[] = [];
  let after: string | null = null;
  do {
    const page: ConnectionsQuery = await request(client, ConnectionsDocument, { ...filter, after });
    pages++;
    connections.push(...page.connections.nodes);
    after = page.connections.pageInfo.hasNextPage ? page.connections.pageInfo.endCursor : null;
    signal.throwIfAborted();
  } while (after !== null && connections.length < MAX_CONNECTIONS);
  return { connections, isCut: after !== null, pauseMs: Math.max(MIN_PAUSE_MS, PAUSE_PER_PAGE_MS * pages) };
}
