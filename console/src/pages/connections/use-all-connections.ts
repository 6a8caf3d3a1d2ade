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
/** The pause after a read, as a multiple of its duration: an open window takes a small share of the time of the service. */
const PAUSE_FACTOR = 40;
/** A read that waited for a slow network does not stop the list. */
const MAX_PAUSE_MS = 60_000;

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
  const startedAt = performance.now();
  const connections: LiveConnection[] = [];
  let after: string | null = null;
  do {
    const page: ConnectionsQuery = await request(client, ConnectionsDocument, { ...filter, after });
    connections.push(...page.connections.nodes);
    after = page.connections.pageInfo.hasNextPage ? page.connections.pageInfo.endCursor : null;
    signal.throwIfAborted();
  } while (after !== null && connections.length < MAX_CONNECTIONS);
  const pauseMs = Math.max(MIN_PAUSE_MS, PAUSE_FACTOR * (performance.now() - startedAt));
  return { connections, isCut: after !== null, pauseMs: Math.min(MAX_PAUSE_MS, pauseMs) };
}
