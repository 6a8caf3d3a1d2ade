import {
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  type GraphQLFieldConfigMap,
} from 'graphql';
import { type Sender } from '../../src/broker/message.ts';

/** The sender of each event: `ada` of those with an odd number, `bob` of the others. */
export const senderOfEvent = ({ n }: TinyEvent): Sender => ({
  kind: 'TOKEN',
  tokenId: n % 2 === 1 ? 'ada' : 'bob',
  identity: null,
  connectionData: null,
});

/** The source event; `n` identifies it. */
export interface TinyEvent {
  n: number;
}

/** The part of the context that the resolvers of this schema read. */
interface TinyContext {
  caller: { name: string };
  connection: { id: string } | undefined;
  isSender(sender: Sender): boolean;
  connect(): Promise<{ id: string }>;
}

/**
 * A schema of events with fields that are the same for every viewer and fields that depend on the viewer, each in another
 * way: always, sometimes, asynchronously, or with the error caught.
 *
 * @param executed called once for each execution of an operation.
 */
export function createTinySchema(executed: () => void): GraphQLSchema {
  const nextMicrotask = () => new Promise<void>((resolve) => queueMicrotask(resolve));
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
        await nextMicrotask();
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
        await nextMicrotask();
        if (n % 3 === 1) throw new RangeError(`${n} is lost.`);
        return n;
      },
    },
    own: { type: GraphQLString, resolve: (event, _, context) => ownOf(event, context) },
    ownSlowly: {
      type: GraphQLString,
      async resolve(event, _, context) {
        await nextMicrotask();
        return ownOf(event, context);
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
        await nextMicrotask();
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

const ownOf = (event: TinyEvent, context: TinyContext) =>
  context.isSender(senderOfEvent(event)) ? `of ${senderOfEvent(event).tokenId}` : null;

/** Fields that are the same for every viewer but the sender of the event. */
export const SENDER_FIELDS = ['own', 'ownSlowly'];
/** Fields that are the same for every viewer. */
export const COMMON_FIELDS = ['n', 'plus', 'slow', 'failsOnOdd', 'failsSlowly', '__typename'];
/** Fields that depend on the viewer. */
export const VIEWER_FIELDS = ['viewer', 'viewerOnOdd', 'viewerSlowly', 'viewerOrNot', 'socket', 'opened'];
