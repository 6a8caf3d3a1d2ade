import { useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { useSession } from '../client/session-context.ts';
import { type Operation } from '../operation.ts';
import { request } from '../client/request.ts';

export interface Action<Result, Variables> {
  readonly error: unknown;
  readonly isBusy: boolean;
  /**
   * Resolves to the result, or to undefined when the mutation was refused: then `error` says why.
   *
   * @param check is awaited first; when it resolves to false, nothing is sent
   */
  run(variables: Variables, check?: () => Promise<boolean>): Promise<Result | undefined>;
  reset(): void;
}

/** Runs a mutation; afterwards every page that is shown is read again. */
export function useAction<Result, Variables extends object>(
  operation: Operation<Result, Variables>,
): Action<Result, Variables> {
  const { client } = useSession();
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  return {
    error,
    isBusy,
    reset: () => setError(undefined),
    async run(variables, check) {
      setBusy(true);
      setError(undefined);
      try {
        if (check && !(await check())) return undefined;
        const result = await request(client, operation, variables);
        void queries.invalidateQueries();
        return result;
      } catch (problem) {
        setError(problem);
        return undefined;
      } finally {
        setBusy(false);
      }
    },
  };
}
