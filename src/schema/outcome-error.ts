import { ERROR_CATALOGUE } from '../errors.ts';
import { type OutcomeError } from '../outcome-error.ts';
import { builder } from './builder.ts';
import { ErrorCodeEnum } from './enums.ts';

export const OutcomeErrorRef = builder.objectRef<OutcomeError>('OutcomeError').implement({
  description: 'Why one item of a batch failed.',
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCodeEnum, description: 'The error code.' }),
    message: t.exposeString('message', { description: 'The error message.' }),
    retryable: t.boolean({
      description: 'Whether the same item may succeed later, unchanged.',
      resolve: ({ code }) => ERROR_CATALOGUE[code].retryable,
    }),
    retryAfterSeconds: t.int({
      nullable: true,
      description: 'With RATE_LIMITED: how long to wait before the next attempt, in seconds. Null otherwise.',
      resolve: ({ retryAfterSeconds }) => retryAfterSeconds ?? null,
    }),
    outcomeUnknown: t.boolean({
      description:
        'With UNAVAILABLE: whether the item may have taken effect nevertheless, because the database became unreachable before it answered.',
      resolve: ({ outcomeUnknown }) => outcomeUnknown ?? false,
    }),
  }),
});
