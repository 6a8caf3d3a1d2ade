/** What base64url without padding stands for; undefined for every other spelling of the same bytes. */
export function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** What standard base64 with its padding stands for; undefined for every other spelling of the same bytes. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** What either alphabet stands for, with or without its padding. */
export function decodeAnyBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const url = bytes.toString('base64url');
  const padding = '='.repeat((4 - (url.length % 4)) % 4);
  const standard = bytes.toString('base64').slice(0, url.length);
  return [standard, standard + padding, url, url + padding].includes(text) ? bytes : undefined;
}
