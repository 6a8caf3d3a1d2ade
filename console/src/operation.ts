declare const types: unique symbol;

/** A GraphQL document with the types of its result and of its variables. */
export type Operation<Result, Variables> = string & {
  readonly [types]?: (variables: Variables) => Result;
};
