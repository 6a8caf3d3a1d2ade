import { redactSecrets } from '../redact-secrets.ts';

/** Redacts an error message for its caller. */
export type RedactMessage = (message: string) => string;

const MAX_LENGTH = 1000;

/**
 * Creates the redaction of error messages: truncates to 1,000 characters, replaces credentials by `[redacted]` and,
 * unless `showsSuggestions`, removes “Did you mean …”, which reveals names of the schema.
 */
export function createRedactMessage(showsSuggestions: boolean): RedactMessage {
  return (message) => {
    const truncated = message.length > MAX_LENGTH ? `${message.slice(0, MAX_LENGTH)}…` : message;
    const redacted = redactSecrets(truncated);
    return showsSuggestions ? redacted : redacted.replace(/ ?Did you mean .*$/s, '');
  };
}
