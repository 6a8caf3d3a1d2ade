import { SignalboxError } from '../errors.ts';

/** `application/json` or `application/graphql+json`, with an optional charset of UTF-8. */
const JSON_TYPE = /^application\/(?:graphql\+)?json\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i;

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

/** The media types of responses. `multipart/mixed` is what some clients send before the other types. */
const RESPONSE_TYPES = [
  'application/json',
  'application/graphql-response+json',
  'text/event-stream',
  'multipart/mixed',
];

/**
 * The error for a request that accepts no media type of a response. It must be refused before it is executed: a mutation whose
 * response cannot be sent would have taken effect, and its payload, such as a new credential, would be lost. Undefined when a
 * type is acceptable.
 */
export function acceptProblem(accept: string | undefined): SignalboxError | undefined {
  if (accept === undefined || accept === '*/*' || RESPONSE_TYPES.includes(accept)) return undefined;
  const accepted = (accept.trim() || '*/*').split(',').filter(isUtf8Range).map(toRange);
  if (accepted.some((range) => RESPONSE_TYPES.some((type) => includesType(range, type)))) return undefined;
  return new SignalboxError(
    'BAD_USER_INPUT',
    'No response has a media type that the Accept header allows. Accept application/json, application/graphql-response+json or, for subscriptions, text/event-stream.',
  );
}

const isUtf8Range = (range: string) => !/;\s*charset\s*=(?!\s*utf-8\s*(?:;|$))/i.test(range);

const toRange = (range: string) => (range.split(';', 1)[0] ?? '').trim().toLowerCase();

function includesType(range: string, type: string): boolean {
  if (range === '*/*' || range === type) return true;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1));
}
