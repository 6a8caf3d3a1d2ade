import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { type ClaimMap, type Provider } from '../../src/tokens/issuers/issuer.ts';
import { createProviders, type Providers } from '../../src/tokens/issuers/jwks.ts';
import { createManualClock, type ManualClock } from './clock.ts';
import { makeIssuer, refusalOf } from './issuers.ts';
import { type ProviderServer, startProvider, trustCertificate } from './provider.ts';

export const START = Date.UTC(2030, 0, 1);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const ISSUER = 'https://id.example/';
/** A mapping that takes the identity from `sub` and maps nothing else. */
export const SUB: ClaimMap = {
  audience: 'aud',
  identity: 'sub',
  role: null,
  grants: null,
  connectionData: null,
};
export const INVALID_SIGNATURE =
  'UNAUTHENTICATED: The credential is refused: no key of its issuer signed it; check the id of the key, the secret and the algorithm.';

/** A key pair of the provider. */
export interface Signer {
  readonly jwk: Record<string, unknown>;
  /** Signs a JWT, which is valid unless `payload` or `header` says otherwise. */
  sign(payload?: object, header?: object): Promise<string>;
}

/** A provider that publishes its keys over HTTPS, and the verifier of its credentials. Both are new for each test. */
export interface JwksVerifier {
  /** The signer whose key the provider publishes at the start of a test. */
  readonly first: Signer;
  /** A signer whose key the provider does not publish at the start. */
  readonly second: Signer;
  readonly clock: ManualClock;
  readonly server: ProviderServer;
  /** The messages of the fetches that failed. */
  readonly failures: string[];
  verifier: Providers;
  /** Lets this process trust the certificate of the provider. */
  trust: Disposable;
  /** The time of the clock in seconds since 1970. */
  seconds(): number;
  /** Advances the injected clock and the system clock. */
  advance(ms: number): Promise<void>;
  createSigner(kid: string, alg?: string): Promise<Signer>;
  /** Verifies a credential, as one of the issuer `issuer_1` unless `id` says otherwise. */
  present(credential: string, overrides?: Partial<Provider>, id?: string): ReturnType<Providers['verify']>;
  /** `accepted`, or code and message of the refusal. */
  refusal(credential: string | Promise<string>, overrides?: Partial<Provider>): Promise<string>;
}

/** Registers the hooks that start and stop the provider, and returns it. Call it at the top level of a test file. */
export function setUpJwksVerifier(): JwksVerifier {
  let first: Signer;
  let second: Signer;
  let clock = createManualClock(START);
  let server: ProviderServer;
  let failures: string[];

  const seconds = () => clock.now() / 1000;
  const present: JwksVerifier['present'] = (credential, overrides, id = 'issuer_1') => {
    const provider: Provider = {
      url: server.url,
      issuer: ISSUER,
      audiences: ['app'],
      algorithms: ['ES256'],
      claims: SUB,
      ...overrides,
    };
    const options = { now: clock.now(), maxGrants: 10 };
    return jwks.verifier.verify(credential, makeIssuer('JWKS', { id, provider }), options);
  };

  const jwks: JwksVerifier = {
    get first() {
      return first;
    },
    get second() {
      return second;
    },
    get clock() {
      return clock;
    },
    get server() {
      return server;
    },
    get failures() {
      return failures;
    },
    verifier: createProviders({ clock, allowsPrivateAddress: true }),
    trust: { [Symbol.dispose]: () => undefined },
    seconds,
    async advance(ms) {
      vi.setSystemTime(Date.now() + ms);
      await clock.advance(ms);
    },
    async createSigner(kid, alg = 'ES256') {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      return {
        jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' },
        sign: (payload = {}, header = {}) =>
          new SignJWT({ iss: ISSUER, aud: 'app', sub: 'ann', exp: seconds() + 3600, ...payload })
            .setProtectedHeader({ alg, kid, ...header })
            .sign(privateKey),
      };
    },
    present,
    async refusal(credential, overrides) {
      const text = await credential;
      return refusalOf(() => present(text, overrides));
    },
  };

  beforeAll(async () => {
    jwks.trust = trustCertificate();
    [first, second] = [await jwks.createSigner('1'), await jwks.createSigner('2')];
  });
  afterAll(() => jwks.trust[Symbol.dispose]());

  beforeEach(async () => {
    // jose measures its cooldown by the system clock.
    vi.useFakeTimers({ toFake: ['Date'], now: START });
    clock = createManualClock(START);
    server = await startProvider();
    server.publish([first.jwk]);
    failures = [];
    const onFetchFailed = (_: string, error: unknown) => failures.push((error as Error).message);
    jwks.verifier = createProviders({ clock, allowsPrivateAddress: true, timeoutMs: 20_000, onFetchFailed });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await server[Symbol.asyncDispose]();
  });
  return jwks;
}
