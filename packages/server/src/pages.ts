/** A page of a list, and where it ends. */
interface Page<Node> {
  nodes: Node[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** Yields the entries of a list, reading one page at a time. */
export async function* listPages<Node>(
  readPage: (after: string | undefined) => Promise<Page<Node>>,
): AsyncGenerator<Node, void, undefined> {
  let after: string | undefined;
  for (;;) {
    const { nodes, pageInfo } = await readPage(after);
    yield* nodes;
    if (!pageInfo.hasNextPage || pageInfo.endCursor === null) return;
    after = pageInfo.endCursor;
  }
}

/** The number of entries that are read with one request: the largest page of the service. */
export const PAGE_SIZE = 100;
