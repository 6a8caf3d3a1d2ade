import { type ServerResponse } from 'node:http';

/** An error as it is sent, or as it was before. */
interface SentError {
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** Sets the header Retry-After to the longest `retryAfterSeconds` of the errors, if there is one. */
export function setRetryAfter(response: ServerResponse, errors: readonly SentError[] = []): void {
  const seconds = errors.map(({ extensions }) => extensions?.['retryAfterSeconds']);
  const longest = Math.max(...seconds.filter((value) => typeof value === 'number'));
  if (longest > 0 && !response.headersSent) response.setHeader('retry-after', longest);
}
