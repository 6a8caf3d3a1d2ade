import { findInexactNumber, inexactNumber } from '../exact-numbers.ts';
import { type SignalboxError } from '../errors.ts';

/** The member of `extensions` that carries the path of an inexact number from the text of a message to its operation. */
const MARK = 'signalboxInexactNumber';

/**
 * Looks for numbers in the variables of a WebSocket message that JSON.parse would change. A message with one gets the path
 * of the number as an extension, so that the operation is refused and not the socket; see `inexactNumberOf`.
 */
export function markInexactNumber(message: string): string {
  const path = findInexactNumber(message, ['payload', 'variables']);
  if (path === undefined) return message;
  try {
    const parsed = JSON.parse(message) as { payload: { extensions?: object | null } };
    parsed.payload.extensions = { ...parsed.payload.extensions, [MARK]: path };
    return JSON.stringify(parsed);
  } catch {
    return message;
  }
}

/** The error of an operation whose message `markInexactNumber` marked. */
export function inexactNumberOf({
  extensions,
}: {
  extensions?: Record<string, unknown> | null | undefined;
}): SignalboxError | undefined {
  const path = extensions?.[MARK];
  return typeof path === 'string' ? inexactNumber(path) : undefined;
}

/** The error of an HTTP request whose variables, in the body or in the URL, have a number that JSON.parse would change. */
export function inexactNumberOfRequest(
  contentType: string | undefined,
  body: Buffer,
  url: URL,
): SignalboxError | undefined {
  const inUrl = url.search === '' ? null : url.searchParams.get('variables');
  const path =
    (body.length > 0 && /json/i.test(contentType ?? '')
      ? findInexactNumber(body.toString(), ['variables'])
      : undefined) ??
    (inUrl === null ? undefined : findInexactNumber(`{"variables":${inUrl}}`, ['variables']));
  return path === undefined ? undefined : inexactNumber(path);
}
