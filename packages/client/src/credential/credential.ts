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

interface Obtained {
  readonly credential: string | undefined;
  readonly cursor?: string | null;
}

/** The source of credentials of one client. */
export interface CredentialSource {
  /** Whether the source can return a new credential of the same token while the old one is valid. */
  readonly canRenew: boolean;
  /** Whether asking again may give another credential than before. */
  readonly canChange: boolean;
  /** Whether the first credential may be one of an earlier page, which the service may no longer accept. */
  readonly mayBeStale: boolean;
  /**
   * Resolves to a credential, or to undefined for an anonymous caller. A call of the function that is under way is shared; one
   * that has not answered within 30 s is given up.
   */
  fetch(reason: CredentialReason): Promise<Obtained>;
  /** The result of `fetch` is not awaited any more. */
  stopWaiting(): void;
}

interface SourceOptions {
  readonly option: CredentialOption;
  /** The endpoint, as a ws(s) URL. */
  readonly url: string;
  readonly runtime: Runtime;
  readonly storage: SafeStorage | undefined;
  readonly storageKey: string;
}

const GUEST = 'mutation($input:CreateGuestInput){createGuest(input:$input){credential cursor}}';
const DEVELOPMENT = 'mutation($identity:String!){createDevelopmentToken(identity:$identity)}';

const TIMEOUT_MS = 30_000;

/**
 * The characters of a credential, with at least one that separates its parts. What a captive portal, a proxy or a failing
 * backend answers instead, such as a page or `Unauthorized`, is then a failure to try again, and not a refused credential.
 */
const CREDENTIAL = /^(?=.*[.=])[\w.+/=-]+$/;

/** Creates the source for one of the five forms of the option `credential`. */
export function createCredentialSource(options: SourceOptions): CredentialSource {
  const { option, runtime } = options;
  const fetchCredential = fetcherOf(options);
  let pending: Promise<Obtained> | undefined;
  let timer: unknown;

  async function call(reason: CredentialReason): Promise<Obtained> {
    const answer = await fetchCredential(reason);
    const obtained = typeof answer === 'object' ? answer : { credential: answer?.trim() };
    if (typeof option !== 'string' && !CREDENTIAL.test(obtained.credential ?? ''))
      throw new Error('The credential function returned no credential.');
    return obtained;
  }

  const stopWaiting = () => runtime.clearTimer(timer);
  return {
    canRenew: typeof option === 'function',
    canChange: typeof option !== 'string',
    mayBeStale: typeof option === 'object' && 'guest' in option && options.storage !== undefined,
    stopWaiting,
    fetch: (reason) =>
      new Promise((resolve, reject) => {
        const mine = (pending ??= call(reason));
        const forget = () => {
          if (pending !== mine) return;
          pending = undefined;
          stopWaiting();
        };
        stopWaiting();
        timer = runtime.setTimer(() => {
          forget();
          reject(new Error('The credential function has not answered in time.'));
        }, TIMEOUT_MS);
        mine.finally(forget).then(resolve, reject);
      }),
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
    return () => post(options, DEVELOPMENT, { identity: option.development }) as Promise<string>;
  return async (reason) => {
    const { storage, storageKey } = options;
    // The guest of the previous page, so that a reload keeps the identity.
    const kept = reason === 'start' ? await storage?.read(`${storageKey}:guest`) : null;
    if (kept) return kept;
    const guest = (await post(options, GUEST, { input: option.guest })) as { readonly credential: string };
    await storage?.write(`${storageKey}:guest`, guest.credential);
    return guest;
  };
}

/** Runs a mutation over HTTP and returns the result of its root field. */
async function post({ url, runtime }: SourceOptions, query: string, variables: object): Promise<unknown> {
  if (!runtime.fetch) throw new SignalboxError('BAD_USER_INPUT', 'There is no fetch here.');
  const response = await runtime.fetch(url.replace('ws', 'http'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: object; errors?: GraphQLErrorLike[] };
  if (errors) throw errorOf(errors);
  return Object.values(data ?? {})[0];
}
