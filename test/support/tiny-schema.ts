import {
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  type GraphQLFieldConfigMap,
} from 'graphql';

/** What happens; `n` tells one event from another. */
export interface TinyEvent {
  n: number;
}

/** Who looks, as far as these fields go. Each is read at most here: `caller`, `connection` and `connect`. */
interface TinyContext {
  caller: { name: string };
  connection: { id: string } | undefined;
  connect(): Promise<{ id: string }>;
}

/**
 * Events with fields that are everybody's, and fields that depend on the viewer in every way that a resolver may
 * think of. `executed` is called once for each execution of an operation.
 */
export function createTinySchema(executed: () => void): GraphQLSchema {
  const later = () => new Promise<void>((resolve) => queueMicrotask(resolve));
  const fields = (): GraphQLFieldConfigMap<TinyEvent, TinyContext> => ({
    n: { type: new GraphQLNonNull(GraphQLInt) },
    plus: {
      type: GraphQLInt,
      args: { m: { type: GraphQLInt, defaultValue: 1 } },
      resolve: ({ n }, { m }: { m: number | null }) => (m === null ? null : n + m),
    },
    inner: { type: Event, resolve: (event) => event },
    slow: {
      type: GraphQLInt,
      async resolve({ n }) {
        await later();
        return n;
      },
    },
    failsOnOdd: {
      type: GraphQLInt,
      resolve({ n }) {
        if (n % 2 === 1) throw new RangeError(`${n} is odd.`);
        return n;
      },
    },
    failsSlowly: {
      type: new GraphQLNonNull(GraphQLInt),
      async resolve({ n }) {
        await later();
        if (n % 3 === 1) throw new RangeError(`${n} is lost.`);
        return n;
      },
    },
    viewer: { type: GraphQLString, resolve: (_, __, { caller }) => caller.name },
    viewerOnOdd: {
      type: GraphQLString,
      resolve: ({ n }, _, context) => (n % 2 === 1 ? context.caller.name : 'anyone'),
    },
    viewerSlowly: {
      type: GraphQLString,
      async resolve(_, __, context) {
        await later();
        return context.caller.name;
      },
    },
    viewerOrNot: {
      type: GraphQLString,
      resolve(_, __, context) {
        try {
          return context.caller.name;
        } catch {
          return 'nobody';
        }
      },
    },
    socket: { type: GraphQLString, resolve: (_, __, context) => context.connection?.id ?? 'none' },
    opened: {
      type: GraphQLString,
      resolve: async (_, __, context) => (await context.connect().catch(() => ({ id: 'none' }))).id,
    },
  });
  const Event: GraphQLObjectType<TinyEvent, TinyContext> = new GraphQLObjectType({ name: 'Event', fields });
  const happened = {
    type: Event,
    args: { where: { type: GraphQLString }, since: { type: GraphQLInt } },
    resolve(event: unknown) {
      executed();
      return event;
    },
  };
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { n: { type: GraphQLInt } } }),
    subscription: new GraphQLObjectType({ name: 'Subscription', fields: { happened } }),
  });
}

/** Fields that look the same to everyone. */
export const COMMON_FIELDS = ['n', 'plus', 'slow', 'failsOnOdd', 'failsSlowly', '__typename'];
/** Fields that do not. */
export const VIEWER_FIELDS = ['viewer', 'viewerOnOdd', 'viewerSlowly', 'viewerOrNot', 'socket', 'opened'];
