/** Redacts an error message for its caller. */
export type RedactMessage = (message: string) => string;

const MAX_LENGTH = 1000;

/** API keys, JWTs and OpenTok tokens, which graphql-js quotes when a client sends them in the place of another value. */
const SECRETS =
  /key_[A-Za-z0-9]{1,40}\.[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_+/=-]*)+|T1==[A-Za-z0-9+/=]+/g;

/**
 * Creates the redaction of error messages: truncates to 1,000 characters, replaces credentials by `[redacted]` and,
 * unless `showsSuggestions`, removes “Did you mean …”, which reveals names of the schema.
 */
export function createRedactMessage(showsSuggestions: boolean): RedactMessage {
  return (message) => {
    const truncated = message.length > MAX_LENGTH ? `${message.slice(0, MAX_LENGTH)}…` : message;
    const redacted = truncated.replace(SECRETS, '[redacted]');
    return showsSuggestions ? redacted : redacted.replace(/ ?Did you mean .*$/s, '');
  };
}
