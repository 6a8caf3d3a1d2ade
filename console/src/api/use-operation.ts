import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useSession } from '../client/session-context.ts';
import { type Operation } from '../operation.ts';
import { request } from '../client/request.ts';

interface Options {
  /** False: nothing is sent. Default: true. */
  enabled?: boolean;
  /** Seconds between two reads; absent: the answer is read once, and again after each change. */
  every?: number;
}

/** Reads with a typed query. The same query with the same variables is sent once for all components. */
export function useOperation<Result, Variables extends object>(
  operation: Operation<Result, Variables>,
  variables: Variables,
  { enabled = true, every }: Options = {},
): UseQueryResult<Result> {
  const { client } = useSession();
  return useQuery({
    queryKey: [operation, variables],
    queryFn: () => request(client, operation, variables),
    enabled,
    placeholderData: keepPreviousData,
    ...(every !== undefined && { refetchInterval: every * 1_000 }),
  });
}

/** Reads again, at once, what `useOperation` has read; components that show it follow. */
export function useReread<Result, Variables extends object>(
  operation: Operation<Result, Variables>,
  variables: Variables,
): () => Promise<Result> {
  const { client } = useSession();
  const queries = useQueryClient();
  return () =>
    queries.query({
      queryKey: [operation, variables],
      queryFn: () => request(client, operation, variables),
      staleTime: 0,
    });
}
