/** The version of what tabs say to each other: tabs with another version of the client have connections of their own. */
const VERSION = 1;

/** Claims that differ between two credentials of the same token. */
const TIMES = new Set(['exp', 'iat', 'nbf', 'jti']);

/**
 * The name of the tabs that may share a connection: same service, same project, same token. Undefined for a connection
 * that cannot be shared: its credential does not name a token, or `since` would apply to the subscriptions of all tabs.
 * The name contains claims, never the signature, so it opens nothing.
 *
 * @param init the payload of `connection_init`
 */
export function groupOf(url: string, init: Readonly<Record<string, unknown>>): string | undefined {
  const { token, project, ...others } = init;
  if (Object.keys(others).length > 0) return undefined;
  const login = token === undefined ? 'anonymous' : claimsOf(token);
  return login && `signalbox:${JSON.stringify([VERSION, url, project, login])}`;
}

/** The claims that all JSON Web Tokens of one token share. Nothing is verified: the service verified the one of the leader. */
function claimsOf(credential: unknown): object | undefined {
  const [header, payload, signature, ...others] = String(credential).split('.');
  if (!payload || signature === undefined || others.length > 0) return undefined;
  try {
    const claims: unknown = JSON.parse(decode(payload));
    if (typeof claims !== 'object' || claims === null) return undefined;
    return { header, claims: Object.entries(claims).filter(([name]) => !TIMES.has(name)) };
  } catch {
    return undefined;
  }
}

/** Decodes base64url to one character per byte, which is enough to compare. */
const decode = (text: string) =>
  (globalThis as unknown as { atob(text: string): string }).atob(
    text.replaceAll('-', '+').replaceAll('_', '/'),
  );
