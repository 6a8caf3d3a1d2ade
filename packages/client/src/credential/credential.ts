import { errorOf, SignalboxError, type GraphQLErrorLike } from '../errors.ts';
import { type Runtime } from '../runtime.ts';
import { type SafeStorage } from '../safe-storage.ts';

/**
 * Why the credential function is called: at the first connect, when the token expires soon, after it expired or was
 * refused, after it was revoked, or after the device woke up, if the token expired while it slept.
 */
export type CredentialReason = 'start' | 'expiring' | 'expired' | 'revoked' | 'wake';

/** A credential, alone or as `createToken` returns it: with the cursor from which nothing is missed. */
export type Credential = string | { readonly credential: string; readonly cursor?: string | null };

/** Where the client gets its credential from. */
export type CredentialOption =
  /** A credential that is used as long as it is in force; `anonymous` for none. In a backend, also an API key. */
  | string
  /** Called for each new credential, one call at a time. Throw `SignedOut` to end the client. */
  | ((reason: CredentialReason) => Credential | Promise<Credential>)
  /** A guest of the service, with a name of 1–64 letters, digits, `_` and `-`. Needs a project that accepts guests. */
  | { readonly guest: { readonly name?: string; readonly connectionData?: string } }
  /** An unsigned credential for this identity. Needs a project that accepts development tokens; never in production. */
  | { readonly development: string };

/** The source of credentials of one client. */
export interface CredentialSource {
  /** Whether the source can return a new credential of the same token while the old one is valid. */
  readonly canRenew: boolean;
  /** Whether asking again may give another credential than before. */
  readonly canChange: boolean;
  /** Whether the first credential may be one of an earlier page, which the service may no longer accept. */
  readonly mayBeStale: boolean;
  /** Resolves to a credential, or to undefined for an anonymous caller. Concurrent calls share one. */
  fetch(reason: CredentialReason): Promise<{ credential: string | undefined; cursor?: string | undefined }>;
  /** Gives up a call that does not answer, so that the next one is not shared with it. */
  abandon(): void;
}

interface SourceOptions {
  readonly option: CredentialOption;
  /** The endpoint, as an http(s) URL. */
  readonly httpUrl: string;
  readonly runtime: Runtime;
  readonly storage: SafeStorage | undefined;
  readonly storageKey: string;
}

const GUEST = `mutation ($input: CreateGuestInput) { createGuest(input: $input) { credential cursor } }`;
const DEVELOPMENT = `mutation ($identity: String!) { createDevelopmentToken(identity: $identity) }`;

/**
 * The characters of a credential, with at least one that separates its parts. What a captive portal, a proxy or a failing
 * backend answers instead, such as a page or `Unauthorized`, is then a failure to try again, and not a refused credential.
 */
const CREDENTIAL = /^(?=.*[.=])[\w.+/=-]+$/;

/** Creates the source for one of the five forms of the option `credential`. */
export function createCredentialSource(options: SourceOptions): CredentialSource {
  const { option } = options;
  const fetchCredential = fetcherOf(options);
  let pending: Promise<{ credential: string | undefined; cursor?: string | undefined }> | undefined;
  return {
    canRenew: typeof option === 'function',
    canChange: typeof option !== 'string',
    mayBeStale: typeof option === 'object' && 'guest' in option && options.storage !== undefined,
    fetch(reason) {
      if (pending) return pending;
      pending = (async () => {
        const answer = await fetchCredential(reason);
        if (answer === undefined) return { credential: undefined };
        const { credential, cursor } = typeof answer === 'string' ? { credential: answer.trim() } : answer;
        if (typeof option !== 'string' && !CREDENTIAL.test(credential))
          throw new Error('The credential function returned no credential.');
        return { credential, cursor: cursor ?? undefined };
      })();
      const mine = pending;
      const forget = () => {
        if (pending === mine) pending = undefined;
      };
      mine.then(forget, forget);
      return mine;
    },
    abandon: () => (pending = undefined),
  };
}

function fetcherOf(
  options: SourceOptions,
): (reason: CredentialReason) => Promise<Credential | undefined> | Credential | undefined {
  const { option } = options;
  if (option === 'anonymous') return () => undefined;
  if (typeof option === 'string') return () => option;
  if (typeof option === 'function') return option;
  if ('development' in option)
    return async () => {
      const data = await post(options, DEVELOPMENT, { identity: option.development });
      return (data as { createDevelopmentToken: string }).createDevelopmentToken;
    };
  return async (reason) => {
    const { storage, storageKey } = options;
    // The guest of the previous page, so that a reload keeps the identity.
    const kept = reason === 'start' ? await storage?.read(`${storageKey}:guest`) : null;
    if (kept) return kept;
    const data = await post(options, GUEST, { input: option.guest });
    const { createGuest } = data as { createGuest: { credential: string; cursor: string } };
    await storage?.write(`${storageKey}:guest`, createGuest.credential);
    return createGuest;
  };
}

async function post({ httpUrl, runtime }: SourceOptions, query: string, variables: object): Promise<unknown> {
  if (!runtime.fetch) throw new SignalboxError('BAD_USER_INPUT', 'There is no fetch in this environment.');
  const response = await runtime.fetch(httpUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: unknown; errors?: GraphQLErrorLike[] };
  if (errors) throw errorOf(errors);
  return data;
}
