import { execute as executeGraphql, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { type PublicError } from './public-errors.ts';

/** Executes a query or mutation; its errors are such as callers may see. */
export async function execute(args: ExecutionArgs, publicError: PublicError): Promise<ExecutionResult> {
  const result = await executeGraphql(args);
  return result.errors ? { ...result, errors: result.errors.map(publicError) } : result;
}
