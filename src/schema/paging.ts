import { getNamedType, isObjectType, type GraphQLOutputType, type GraphQLSchema } from 'graphql';
import { badInput } from '../errors.ts';
import { MAX_PAGE_SIZE, pageOf, parsePageSize, type Page, type PageRequest } from '../paging.ts';
import { Slices, TurnQueue } from '../slices.ts';
import { builder, type ObjectRefOf } from './builder.ts';

/** Whether entries exist beyond a page: known, or read when it is selected. */
type Exists = boolean | (() => Promise<boolean>);

const resolveExists = (exists: Exists) => (typeof exists === 'function' ? exists() : exists);

/** A page in the form of Relay’s cursor connections. */
export interface RelayConnection<T> {
  edges: { cursor: string; node: T }[];
  hasNextPage: Exists;
  hasPreviousPage: Exists;
  /** The end cursor of an empty page, if it is known. */
  end?: string;
}

const PageInfo = builder.objectRef<RelayConnection<unknown>>('PageInfo').implement({
  description: 'The position of a page in its list.',
  fields: (t) => ({
    hasNextPage: t.boolean({
      description: 'Whether entries follow the page.',
      resolve: ({ hasNextPage }) => resolveExists(hasNextPage),
    }),
    hasPreviousPage: t.boolean({
      description: 'Whether entries precede the page.',
      resolve: ({ hasPreviousPage }) => resolveExists(hasPreviousPage),
    }),
    startCursor: t.string({
      nullable: true,
      description: 'The cursor of the first edge; null on an empty page.',
      resolve: ({ edges }) => edges[0]?.cursor ?? null,
    }),
    endCursor: t.string({
      nullable: true,
      description:
        'The cursor of the last edge; pass it as `after` to read the next page. On an empty page: null, or for messages the position up to which there are none.',
      resolve: ({ edges, end }) => edges.at(-1)?.cursor ?? end ?? null,
    }),
  }),
});

/** The Relay connection type `<name>Connection` and its edge, of nodes of one type. */
export function relayConnection<T>(
  name: string,
  node: ObjectRefOf<T>,
  cursorType: 'String' | 'Cursor' = 'String',
) {
  const Edge = builder.objectRef<{ cursor: string; node: T }>(`${name}Edge`).implement({
    description: 'An entry and its cursor.',
    fields: (t) => ({
      cursor: t.field({
        type: cursorType,
        description:
          cursorType === 'Cursor'
            ? 'The position of the message in the log; a valid value of `since`.'
            : 'The cursor of the entry, for `after`.',
        resolve: (edge) => edge.cursor,
      }),
      node: t.field({ type: node, description: 'The entry.', resolve: (edge) => edge.node as never }),
    }),
  });
  return builder.objectRef<RelayConnection<T>>(`${name}Connection`).implement({
    description: 'A page of a list, in the form of Relay’s cursor connections.',
    fields: (t) => ({
      edges: t.field({
        type: [Edge],
        description: 'The entries of the page with their cursors.',
        resolve: ({ edges }) => edges,
      }),
      nodes: t.field({
        type: [node],
        description: 'The entries of the page without cursors.',
        resolve: ({ edges }) => edges.map((edge) => edge.node) as never,
      }),
      pageInfo: t.field({
        type: PageInfo,
        description: 'The position of the page in the list.',
        resolve: (page) => page,
      }),
    }),
  });
}

/** Pages that are read and completed in one turn of the event loop. */
const pageTurns = new TurnQueue(8);
/** Entries of other lists. */
const entryTurns = new TurnQueue(64);

/**
 * Divides the pages of an operation among turns of the event loop: pages can be nested, and the thousands of entries would
 * otherwise be read and completed in one turn.
 */
export function readPagesInTurns(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const { resolve } = field;
      if (!resolve || !isConnection(field.type)) continue;
      field.resolve = (...args) => {
        const turn = pageTurns.take();
        return turn ? turn.then(() => resolve(...args)) : resolve(...args);
      };
    }
  }
  return schema;
}

/** Whether a type is one of those that `relayConnection` makes. */
function isConnection(type: GraphQLOutputType): boolean {
  const named = getNamedType(type);
  return isObjectType(named) && 'pageInfo' in named.getFields();
}

/** The entries of a list that may be longer than a page, each in its turn of the event loop. */
export function eachInTurn<T>(entries: readonly T[]): (T | Promise<T>)[] {
  return entries.map((entry) => entryTurns.take()?.then(() => entry) ?? entry);
}

const FIRST = 'The number of entries: 1–100, 20 by default.';
const AFTER = 'Only entries after this cursor.';

/** The arguments of a list that is read forward. */
export const forwardArgs = builder.args((t) => ({
  first: t.int({ description: FIRST }),
  after: t.string({ description: AFTER }),
}));

export function toPageRequest({
  first,
  after,
}: {
  first?: number | null | undefined;
  after?: string | null | undefined;
}): PageRequest {
  return { first: parsePageSize(first, 'first'), after: after == null ? undefined : decode(after) };
}

/** Reads a page of a list sorted by `idOf`, whose cursors are those ids. */
export async function readRelayConnection<T>(
  request: PageRequest,
  read: (page: PageRequest) => Promise<Page<T>>,
  idOf: (item: T) => string,
): Promise<RelayConnection<T>> {
  const { items, hasMore } = await read(request);
  const { after } = request;
  return {
    edges: items.map((node) => ({ cursor: Buffer.from(idOf(node)).toString('base64url'), node })),
    hasNextPage: hasMore,
    // The entry of the cursor may be gone, so that only the first entry of the list tells.
    hasPreviousPage:
      after !== undefined &&
      (async () => {
        const [first] = (await read({ first: 1 })).items;
        return first !== undefined && idOf(first) <= after;
      }),
  };
}

/**
 * A page of the entries of a list that `select` turns into items, and not into undefined. Reads on until the page is full,
 * so that `hasMore` is true only if an item follows.
 */
export async function selectedPage<Entry, T>(
  { first, after }: PageRequest,
  read: (page: PageRequest) => Promise<Page<Entry>>,
  idOf: (entry: Entry) => string,
  select: (entry: Entry) => Promise<T | undefined>,
): Promise<Page<T>> {
  const found: T[] = [];
  const slices = new Slices();
  let position = after;
  let size = first;
  for (;;) {
    const { items, hasMore } = await read({ first: size, after: position });
    for (const item of await Promise.all(items.map(select))) if (item !== undefined) found.push(item);
    const last = items.at(-1);
    if (found.length > first || !hasMore || last === undefined) return pageOf(found, first);
    position = idOf(last);
    // There can be many entries of which few are selected.
    size = MAX_PAGE_SIZE;
    if (slices.shouldYield()) await slices.nextTurn();
  }
}

function decode(cursor: string): string {
  if (!/^[A-Za-z0-9_-]{1,400}$/.test(cursor)) throw badInput('after', 'is not a cursor of this list.');
  return Buffer.from(cursor, 'base64url').toString();
}
