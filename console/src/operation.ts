declare const types: unique symbol;

/** A GraphQL document with the types of its result and of its variables. */
export type Operation<Result, Variables> = string & {
  readonly [types]?: (variables: Variables) => Result;
};

/** Variables, or a function that computes those that depend on the moment at which they are sent. */
export type VariablesSource<Variables> = Variables | (() => Variables);

/** The variables as they would be sent now. */
export function variablesNow<Variables extends object>(source: VariablesSource<Variables>): Variables {
  return typeof source === 'function' ? source() : source;
}
