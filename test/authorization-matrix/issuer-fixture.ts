import { createHmac } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createManualClock, type ManualClock } from '../support/clock.ts';
import { forge } from '../support/forge.ts';
import { createLog, type Log } from '../support/log.ts';
import { startProvider, trustCertificate, type ProviderServer } from '../support/provider.ts';
import { changeSettings } from '../support/projects.ts';
import {
  createApiKey,
  createIssuer,
  OPENTOK,
  INFREQUENT_UPKEEP,
  opentokSessionId,
  signingSecretOf,
  TWILIO,
} from '../support/external-credentials.ts';
import { startService, type TestService } from '../support/service.ts';

/** The secret of every HMAC issuer: since all are equal, only the claims and headers distinguish the kinds. */
export const SECRET = 'one secret that all of the vendors share';
export const BACKEND = 'backend';
export const SESSION = opentokSessionId('attack');
export const PROVIDER = 'https://id.example/';

/** A kind of JWT that is signed with a secret, with the header and payload of a valid one. */
export interface HmacKind {
  header: Readonly<Record<string, unknown>>;
  payload(now: number): Record<string, unknown>;
  /** The allowed algorithms. */
  algorithms: readonly string[];
  secret(fixture: IssuerFixture): string | Uint8Array;
}

const VENDOR = { secret: () => SECRET };
const ANY = ['HS256', 'HS384', 'HS512'];
const JWT = { alg: 'HS256', typ: 'JWT' };

/** `now` is in seconds since 1970. */
export const HMAC_KINDS = {
  SIGNALBOX: {
    header: { ...JWT, kid: BACKEND },
    payload: (now) => ({ sub: 'ada', iat: now, exp: now + 3600 }),
    algorithms: ANY,
    ...VENDOR,
  },
  API_KEY: {
    header: JWT,
    payload: (now) => ({ sub: 'ada', iat: now, exp: now + 3600 }),
    algorithms: ANY,
    secret: ({ signingKey }) => signingSecretOf(signingKey.secret),
  },
  STREAM: {
    header: JWT,
    payload: (now) => ({ user_id: 'ada', iat: now, exp: now + 3600 }),
    algorithms: ['HS256'],
    ...VENDOR,
  },
  TWILIO: {
    header: { ...JWT, cty: 'twilio-fpa;v=1' },
    payload: (now) => ({
      iss: TWILIO.key.id,
      sub: TWILIO.account,
      jti: `${TWILIO.key.id}-1`,
      grants: { identity: 'ada', data_sync: { service_sid: TWILIO.service } },
      iat: now,
      exp: now + 3600,
    }),
    algorithms: ANY,
    ...VENDOR,
  },
  OPENTOK: {
    header: JWT,
    payload: (now) => ({
      iss: OPENTOK.key.id,
      ist: 'project',
      scope: 'session.connect',
      session_id: SESSION,
      role: 'publisher',
      iat: now,
      exp: now + 3600,
    }),
    algorithms: ['HS256'],
    ...VENDOR,
  },
} as const satisfies Record<string, HmacKind>;
export type HmacName = keyof typeof HMAC_KINDS;
export const HMAC_NAMES = Object.keys(HMAC_KINDS) as HmacName[];

const HASHES = new Map<unknown, string>([
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
]);

/** A service with an issuer of every kind, an HTTPS provider, and a recorded log. */
export interface IssuerFixture extends AsyncDisposable {
  readonly signalbox: TestService;
  readonly clock: ManualClock;
  readonly log: Log;
  readonly provider: ProviderServer;
  /** The public key of the provider. */
  readonly publicJwk: Record<string, unknown>;
  readonly signingKey: { id: string; secret: string };
  readonly issuers: Record<'SIGNALBOX' | 'STREAM' | 'TWILIO' | 'OPENTOK' | 'JWKS', string>;
  /** The time, in seconds since 1970. */
  now(): number;
  /**
   * A credential of the kind, with overrides of its payload and header; undefined removes a field. It is signed with the
   * algorithm of its header if that is an HMAC, otherwise with HS256.
   */
  sign(name: HmacName, payload?: object, header?: object, secret?: string | Uint8Array): string;
  /**
   * A credential whose payload is raw JSON, for payloads that no object serialises to. `extraClaims` is appended to the valid
   * claims; `wrap` transforms the whole payload.
   */
  signRaw(name: HmacName, extraClaims: string, wrap?: (claims: string) => string): string;
  /** A credential signed with the provider's key. */
  signJwks(payload?: object, header?: object): Promise<string>;
  /** An OpenTok credential in the older T1 format. */
  signT1(form?: string, head?: string): string;
  /** A valid credential of each external kind. */
  validCredentials(): Promise<Record<string, string>>;
}

/** Generated once, because RSA key generation is slow. */
const pair = generateKeyPair('RS256', { extractable: true });

export async function createIssuerFixture(): Promise<IssuerFixture> {
  const trust = trustCertificate();
  const clock = createManualClock();
  const log = createLog();
  const provider = await startProvider();
  const { publicKey, privateKey } = await pair;
  const publicJwk: Record<string, unknown> = { ...(await exportJWK(publicKey)), kid: 'rsa' };
  provider.publish([publicJwk]);
  const signalbox = await startService(
    { ...INFREQUENT_UPKEEP, connectsPerSecond: 1e6 },
    { clock, logger: log.logger },
  );
  await changeSettings(signalbox, { developmentTokens: true });
  const key = (id: string) => ({ id, secret: SECRET });
  const { url } = provider;
  const issuers = {
    SIGNALBOX: await createIssuer(signalbox, { kind: 'SIGNALBOX', key: key(BACKEND) }),
    STREAM: await createIssuer(signalbox, { kind: 'STREAM', key: key('stream') }),
    TWILIO: await createIssuer(signalbox, { ...TWILIO, key: key(TWILIO.key.id) }),
    OPENTOK: await createIssuer(signalbox, { kind: 'OPENTOK', key: key(OPENTOK.key.id) }),
    JWKS: await createIssuer(signalbox, {
      kind: 'JWKS',
      provider: { url, issuer: PROVIDER, audience: 'app' },
    }),
  };
  const signingKey = await createApiKey(signalbox);
  const now = () => clock.now() / 1000;

  const fixture: IssuerFixture = {
    signalbox,
    clock,
    log,
    provider,
    publicJwk,
    signingKey,
    issuers,
    now,
    sign(name, payload = {}, header = {}, secret) {
      const kind: HmacKind = HMAC_KINDS[name];
      const kid = name === 'API_KEY' && { kid: signingKey.id };
      const fullHeader: Record<string, unknown> = { ...kind.header, ...kid, ...header };
      const body = { ...kind.payload(now()), ...payload };
      return forge(fullHeader, body, secret ?? kind.secret(fixture), HASHES.get(fullHeader['alg']));
    },
    signRaw(name, extraClaims, wrap = (claims) => claims) {
      const kind: HmacKind = HMAC_KINDS[name];
      const kid = name === 'API_KEY' && { kid: signingKey.id };
      const claims = JSON.stringify(kind.payload(now()));
      const text = wrap(extraClaims === '' ? claims : `${claims.slice(0, -1)},${extraClaims}}`);
      return forge({ ...kind.header, ...kid }, text, kind.secret(fixture));
    },
    signJwks: (payload = {}, header = {}) =>
      new SignJWT({ iss: PROVIDER, aud: 'app', sub: 'ada', iat: now(), exp: now() + 3600, ...payload })
        .setProtectedHeader({ alg: 'RS256', kid: 'rsa', ...header })
        .sign(privateKey),
    signT1(
      form = `session_id=${SESSION}&create_time=${now()}&expire_time=${now() + 3600}&nonce=1&role=publisher`,
      head = '',
    ) {
      const sig = createHmac('sha1', SECRET).update(form).digest('hex');
      const text = `partner_id=${OPENTOK.key.id}&sig=${sig}${head}:${form}`;
      return `T1==${Buffer.from(text).toString('base64')}`;
    },
    async validCredentials() {
      const hmac = HMAC_NAMES.map((name) => [name, fixture.sign(name)] as const);
      return { ...Object.fromEntries(hmac), JWKS: await fixture.signJwks(), T1: fixture.signT1() };
    },
    async [Symbol.asyncDispose]() {
      await signalbox[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
      trust[Symbol.dispose]();
    },
  };
  return fixture;
}
