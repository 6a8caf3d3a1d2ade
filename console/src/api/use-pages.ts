import { useInfiniteQuery } from '@tanstack/react-query';
import { useSession } from '../client/session-context.ts';
import { type Operation } from '../operation.ts';
import { request } from '../client/request.ts';

/** A page of a Relay connection. */
export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
}

/** The pages of a list that are loaded so far. */
export interface Pages<Node> {
  readonly nodes: readonly Node[];
  readonly error: unknown;
  readonly isLoading: boolean;
  readonly hasMore: boolean;
  loadMore(): void;
}

/** Reads a list page by page. `every`: seconds between two reads of the loaded pages. */
export function usePages<Result, Variables extends { after?: string | null | undefined }, Node>(
  operation: Operation<Result, Variables>,
  variables: Variables,
  pageOf: (result: Result) => Page<Node> | undefined,
  every?: number,
): Pages<Node> {
  const { client } = useSession();
  const query = useInfiniteQuery({
    queryKey: [operation, variables, 'pages'],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) => request(client, operation, { ...variables, after: pageParam }),
    getNextPageParam(last) {
      const page = pageOf(last);
      return page?.pageInfo.hasNextPage === true ? page.pageInfo.endCursor : null;
    },
    ...(every !== undefined && { refetchInterval: every * 1_000 }),
  });
  return {
    nodes: query.data?.pages.flatMap((page) => pageOf(page)?.nodes ?? []) ?? [],
    error: query.error ?? undefined,
    isLoading: query.isFetching,
    hasMore: query.hasNextPage,
    loadMore: () => void query.fetchNextPage(),
  };
}
