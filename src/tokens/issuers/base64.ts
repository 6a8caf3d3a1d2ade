// Buffer.from() ignores characters outside the alphabet and surplus bits. The decoders below encode the bytes again and
// compare, so that a credential cannot be changed without changing its bytes.

/** Decodes base64url without padding (RFC 7515, section 2). Undefined for any other spelling. */
export function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** Decodes standard base64 or base64url, with or without padding. Undefined for any other spelling. */
export function decodeAnyBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const url = bytes.toString('base64url');
  const padding = '='.repeat((4 - (url.length % 4)) % 4);
  const standard = bytes.toString('base64').slice(0, url.length);
  return [standard, standard + padding, url, url + padding].includes(text) ? bytes : undefined;
}
