import { SignalboxError } from '../errors.ts';

/** `application/json` and types such as `application/graphql+json`, with an optional charset of UTF-8. */
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i;

/**
 * The error for a POST whose body is not JSON in UTF-8. Browsers send forms and plain text across origins without asking
 * first, so only JSON is executed. Undefined when the header is accepted.
 */
export function mediaTypeProblem(contentType: string | undefined): SignalboxError | undefined {
  if (contentType === undefined)
    return new SignalboxError('BAD_USER_INPUT', 'The request has no Content-Type; send application/json.');
  if (JSON_TYPE.test(contentType.trim())) return undefined;
  return new SignalboxError(
    'BAD_USER_INPUT',
    'The Content-Type of a request must be application/json, in UTF-8; other types are not executed.',
  );
}
