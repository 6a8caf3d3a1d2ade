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
  TWILIO,
} from '../support/external-credentials.ts';
import { startService, type TestService } from '../support/service.ts';

/** Of every issuer with a secret the same one: then nothing but what stands in a credential tells the kinds apart. */
export const SECRET = 'one secret that all of the vendors share';
export const BACKEND = 'backend';
export const SESSION = opentokSessionId('attack');
export const PROVIDER = 'https://id.example/';

/** A kind of JWT that is signed with a secret, as a good one of it is made. */
export interface HmacKind {
  header: Readonly<Record<string, unknown>>;
  payload(now: number): Record<string, unknown>;
  /** With which it may be signed. */
  algorithms: readonly string[];
  secret(kinds: Kinds): string;
}

const VENDOR = { secret: () => SECRET };
const ANY = ['HS256', 'HS384', 'HS512'];
const JWT = { alg: 'HS256', typ: 'JWT' };

/** `now`: seconds since 1970. */
export const HMAC_KINDS = {
  SIGNALBOX: {
    header: { ...JWT, kid: BACKEND },
    payload: (now) => ({ sub: 'ada', iat: now, exp: now + 3600 }),
    algorithms: ANY,
    ...VENDOR,
  },
  'an API key’s': {
    header: JWT,
    payload: (now) => ({ sub: 'ada', iat: now, exp: now + 3600 }),
    algorithms: ANY,
    secret: ({ signingKey }) => signingKey.secret,
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

/** A service with an issuer of every kind, an https provider, and whatever it logs. */
export interface Kinds extends AsyncDisposable {
  readonly signalbox: TestService;
  readonly clock: ManualClock;
  readonly log: Log;
  readonly provider: ProviderServer;
  /** The provider’s key, which everybody may see. */
  readonly publicJwk: Record<string, unknown>;
  readonly signingKey: { id: string; secret: string };
  readonly issuers: Record<'SIGNALBOX' | 'STREAM' | 'TWILIO' | 'OPENTOK' | 'JWKS', string>;
  /** Seconds since 1970. */
  now(): number;
  /** A credential of the kind, changed as told; what is undefined is left out. Signed as its header says, if that is an HMAC. */
  sign(name: HmacName, payload?: object, header?: object, secret?: string): string;
  /** The same with claims as JSON that no object is written as: behind the others, or all of them as `wrap` has them. */
  signRaw(name: HmacName, more: string, wrap?: (claims: string) => string): string;
  /** A credential of the provider. */
  signJwks(payload?: object, header?: object): Promise<string>;
  /** OpenTok’s as it was before JWTs. */
  signT1(form?: string, head?: string): string;
  /** A good credential of each kind that others sign. */
  good(): Promise<Record<string, string>>;
}

/** What takes longest is made once. */
const pair = generateKeyPair('RS256', { extractable: true });

export async function openKinds(): Promise<Kinds> {
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

  const kinds: Kinds = {
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
      const kid = name === 'an API key’s' && { kid: signingKey.id };
      const whole: Record<string, unknown> = { ...kind.header, ...kid, ...header };
      const body = { ...kind.payload(now()), ...payload };
      return forge(whole, body, secret ?? kind.secret(kinds), HASHES.get(whole['alg']));
    },
    signRaw(name, more, wrap = (claims) => claims) {
      const kind: HmacKind = HMAC_KINDS[name];
      const kid = name === 'an API key’s' && { kid: signingKey.id };
      const claims = JSON.stringify(kind.payload(now()));
      const text = wrap(more === '' ? claims : `${claims.slice(0, -1)},${more}}`);
      return forge({ ...kind.header, ...kid }, text, kind.secret(kinds));
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
    async good() {
      const hmac = HMAC_NAMES.map((name) => [name, kinds.sign(name)] as const);
      return { ...Object.fromEntries(hmac), JWKS: await kinds.signJwks(), T1: kinds.signT1() };
    },
    async [Symbol.asyncDispose]() {
      await signalbox[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
      trust[Symbol.dispose]();
    },
  };
  return kinds;
}
