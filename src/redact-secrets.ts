/** API keys, JWTs and OpenTok tokens, which clients send in the place of other values, and which messages then quote. */
const SECRETS =
  /key_[A-Za-z0-9]{1,40}\.[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_+/=-]*)+|T1==[A-Za-z0-9+/=]+/g;

/** The text with every API key and credential replaced by `[redacted]`. */
export const redactSecrets = (text: string): string => text.replace(SECRETS, '[redacted]');
