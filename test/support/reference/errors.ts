import { ERROR_CATALOGUE } from '../../../src/errors.ts';
import { documentOf, PRINTED, table } from './markdown.ts';

export function printErrors(): string {
  const rows = Object.entries(ERROR_CATALOGUE).map(([code, { retryable, meaning }]) => [
    `\`${code}\``,
    retryable ? 'yes' : 'no',
    meaning,
  ]);
  return documentOf(
    PRINTED,
    '# Error codes',
    'Every GraphQL error carries `extensions.code`, one of the codes below, and `extensions.retryable`: whether the same request may succeed later, unchanged. Decide by these two, never by the text of `message`.',
    'Some errors carry more: `field` (the argument at fault), `limit` (the bound that was exceeded), `retryAfterSeconds` (how long to wait), `version` (the current version of a channel, when `ifVersion` did not match), `errorId` (the log line of an internal error), `outcomeUnknown` (true when the request may have taken effect, because the database became unreachable before it answered).',
    table(['code', 'retryable', 'meaning'], rows),
    'The HTTP status: before GraphQL is reached, and whatever `Accept` says, the service answers 400 (a credential in the URL, text that is not UTF-8, a number that JSON cannot carry), 403 (origin), 406 (`Accept`), 413 (PAYLOAD_TOO_LARGE), 415 (`Content-Type`), 421 (host name) or 503 (it is draining, or too many requests are open). After that, with `Accept: application/graphql-response+json`, a request that is refused before execution has the status 401 (UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED), 403 (FORBIDDEN), 429 (RATE_LIMITED), 500, 503 (UNAVAILABLE) or else 400. With `application/json`, every well-formed request has the status 200: read `errors`.',
    'A WebSocket that is closed carries a [close code](close-codes.md) instead.',
  );
}
