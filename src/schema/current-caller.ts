import { type GraphQLSchema } from 'graphql';
import { unavailable } from '../errors.ts';
import { type Context } from './context.ts';

/** How often a caller is read before the operation fails, because its rights changed each time. */
const MAX_READS = 5;

/** Whether the rights of the caller are those of this moment. */
export function isCurrent({ domain, connection, rightsAsOf }: Context): boolean {
  return connection !== undefined || rightsAsOf === domain.rights.changes;
}

/** The context with the rights that its caller has at the moment at which this resolves. @throws as an authentication, UNAVAILABLE */
export async function withCurrentCaller(context: Context): Promise<Context> {
  // Signals keep the caller of a live connection current.
  if (context.connection) return context;
  const { domain } = context;
  for (let count = 1; count <= MAX_READS; count++) {
    const watch = domain.rights.begin(context.caller);
    try {
      const caller = await domain.authenticate.refresh(context.caller);
      if (watch.hasChanged) continue;
      const { changes: rightsAsOf } = domain.rights;
      return Object.create(context, {
        caller: { value: caller, configurable: true },
        rightsAsOf: { value: rightsAsOf, configurable: true },
      }) as Context;
    } finally {
      watch[Symbol.dispose]();
    }
  }
  throw unavailable('The rights of the caller changed each time they were read. Try again.');
}

/**
 * Gives a context the current rights of its caller in place: the fields of the result of a mutation have the same context, and
 * must not read by older rights than the mutation.
 */
async function updateCaller(context: Context): Promise<void> {
  const { caller, rightsAsOf } = await withCurrentCaller(context);
  Object.defineProperties(context, {
    caller: { value: caller, configurable: true },
    rightsAsOf: { value: rightsAsOf, configurable: true },
  });
}

/**
 * Lets each mutation of an HTTP request begin with the current rights of its caller. The authentication of a request reads
 * several rows, and the mutations before this one take time: what was read first may have been revoked since. The mutations of
 * a request are executed one after another.
 */
export function startMutationsByCurrentRights(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { resolve } = field;
    if (!resolve) continue;
    field.resolve = (source, args, context: Context, info) =>
      isCurrent(context)
        ? resolve(source, args, context, info)
        : updateCaller(context).then(() => resolve(source, args, context, info));
  }
  return schema;
}
