/** Puts a message into words that its caller may see. */
export type RedactMessage = (message: string) => string;

const MAX_LENGTH = 1000;

/** API keys, JWTs and OpenTok’s tokens, in places where something else was expected and is quoted. */
const SECRETS =
  /key_[A-Za-z0-9]{1,40}\.[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_+/=-]*)+|T1==[A-Za-z0-9+/=]+/g;

/**
 * Messages quote what they complain about. They are cut to 1,000 characters, name no secret, and without `suggests`
 * do not tell what the schema has instead.
 */
export function createRedactMessage(suggests: boolean): RedactMessage {
  return (message) => {
    const cut = message.length > MAX_LENGTH ? `${message.slice(0, MAX_LENGTH)}…` : message;
    const safe = cut.replace(SECRETS, '[redacted]');
    return suggests ? safe : safe.replace(/ ?Did you mean .*$/s, '');
  };
}
