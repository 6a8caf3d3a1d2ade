import {
  execute as executeGraphql,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
} from 'graphql';

/** Executes a query or mutation; `show` turns its errors into such as its caller may see. */
export async function execute(
  args: ExecutionArgs,
  show: (error: unknown) => GraphQLError,
): Promise<ExecutionResult> {
  const result = await executeGraphql(args);
  return result.errors ? { ...result, errors: result.errors.map(show) } : result;
}
