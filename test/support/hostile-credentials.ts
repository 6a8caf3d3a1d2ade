import fc from 'fast-check';

/** Names of claims that parsers read, and names that are dangerous in JavaScript. */
export const CLAIM_NAMES = [
  'sub',
  'iss',
  'user_id',
  'grants',
  'role',
  'data',
  'channels',
  'exp',
  'iat',
  'nbf',
  'scope',
  'session_id',
  'create_time',
  'expire_time',
  'connection_data',
  'aud',
  'server',
  '__proto__',
] as const;

/** A valid credential with some characters replaced, removed or inserted, or with the payload of another one. */
export const mutatedCredential = (validCredentials: () => readonly string[]) =>
  fc
    .tuple(
      fc.nat(),
      fc.nat(),
      fc.boolean(),
      fc.array(
        fc.tuple(
          fc.nat(900),
          fc.nat(3),
          fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('.', '=', 'A', '-', '&', '%')),
        ),
      ),
    )
    .map(([one, another, hasOtherPayload, edits]) => {
      const all = validCredentials();
      const text = all[one % all.length]!;
      const otherPayload = all[another % all.length]!.split('.')[1];
      const parts = text
        .split('.')
        .map((part, index) => (hasOtherPayload && index === 1 ? (otherPayload ?? part) : part));
      return edits.reduce((edited, [offset, removed, inserted]) => {
        const index = offset % (edited.length + 1);
        return edited.slice(0, index) + inserted + edited.slice(index + removed);
      }, parts.join('.'));
    });

/**
 * Whether a text contains 12 consecutive characters of a credential, encoded or decoded.
 * @param publicNames texts that may be repeated, besides the names of claims
 */
export function quotesCredential(
  text: string,
  credential: string,
  publicNames: readonly string[] = [],
): boolean {
  const remaining = [...CLAIM_NAMES, ...publicNames].reduce((rest, word) => rest.replaceAll(word, ''), text);
  const parts = credential.split('.');
  const decoded = [...parts, credential.slice(4)].map((part) => Buffer.from(part, 'base64').toString());
  return [...parts, ...decoded].some((part) =>
    Array.from({ length: Math.max(0, part.length - 11) }, (_, at) => part.slice(at, at + 12)).some((piece) =>
      remaining.includes(piece),
    ),
  );
}
