import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { SignJWT, type JWTPayload } from 'jose';
import { StreamChat } from 'stream-chat';
import twilio from 'twilio';
import { vi } from 'vitest';
import { createManualClock, type ManualClock } from './clock.ts';
import { type Answer, type ServiceClient } from './service.ts';

/** Credentials that backends sign themselves, with the packages of their vendors. */

/** A manual clock that also sets `Date`, because the packages of the vendors read the system time. */
export function createSystemClock(now = Date.UTC(2030, 0, 1)): ManualClock & Disposable {
  const clock = createManualClock(now);
  vi.useFakeTimers({ toFake: ['Date'], now });
  return {
    ...clock,
    async advance(ms) {
      await clock.advance(ms);
      vi.setSystemTime(clock.now());
    },
    [Symbol.dispose]: () => void vi.useRealTimers(),
  };
}

/** Settings that make presence and retention timers rare, so that tests can advance the clock by a month quickly. */
export const INFREQUENT_UPKEEP = { leaseMs: 300_000, purgeIntervalMs: 3_600_000 };

/** Creates an issuer. Resolves to its id. */
export async function createIssuer(
  { request }: ServiceClient,
  input: object,
  bearer?: string,
): Promise<string> {
  const { createIssuer } = await request(
    `mutation ($input: CreateIssuerInput!) { createIssuer(input: $input) { id } }`,
    { input },
    bearer,
  );
  return createIssuer.id;
}

export const STREAM = { kind: 'STREAM', key: { id: 'appkey', secret: 'a secret of Stream' } };
export const stream = new StreamChat(STREAM.key.id, STREAM.key.secret);

const sid = (kind: string) => kind + '0'.repeat(32);
export const TWILIO = {
  kind: 'TWILIO',
  account: sid('AC'),
  service: sid('IS'),
  key: { id: sid('SK'), secret: 'a secret of Twilio' },
};

interface TwilioSigner {
  account?: string;
  service?: string;
  key?: { id: string; secret: string };
  algorithm?: string;
}

/** A Twilio access token with a Sync grant. Its lifetime is one hour by default. */
export function mintTwilio(
  options: { identity: string; ttl?: number; nbf?: number },
  { account, service, key, algorithm }: TwilioSigner = {},
): string {
  const { AccessToken } = twilio.jwt;
  const { id, secret } = key ?? TWILIO.key;
  const token = new AccessToken(account ?? TWILIO.account, id, secret, options);
  token.addGrant(new AccessToken.SyncGrant({ serviceSid: service ?? TWILIO.service }));
  return token.toJwt(algorithm as 'HS256');
}

export const OPENTOK = {
  kind: 'OPENTOK',
  key: { id: '123456', secret: '1234567890abcdef1234567890abcdef1234567890' },
};
// The package has no type definitions.
const OpenTok = createRequire(import.meta.url)('opentok');

/** An OpenTok session id, which contains the API key of its project. */
export function opentokSessionId(name: string, key = OPENTOK.key.id): string {
  return `2_${Buffer.from(`1~${key}~~${name}~0.5~`).toString('base64url')}`;
}

/** An OpenTok connection token: a JWT, or a token in the older T1 format. */
export function mintOpentok(
  session: string,
  options: object = {},
  { layout = 'JWT', key = OPENTOK.key }: { layout?: 'JWT' | 'T1'; key?: { id: string; secret: string } } = {},
): string {
  return new OpenTok(key.id, key.secret).generateToken(session, options, layout === 'T1');
}

export interface SigningApiKey {
  id: string;
  /** `key_<id>.<secret>`; see `signingSecretOf`. */
  secret: string;
}

/** Parses the text of an API key. */
export const signingKeyOf = (text: string): SigningApiKey => ({ id: text.split('.')[0]!, secret: text });

/** Creates an API key that may sign credentials by default. The operator may create one for another project. */
export async function createApiKey(
  { request }: ServiceClient,
  variables: { canSign?: boolean; project?: string } = { canSign: true },
): Promise<SigningApiKey> {
  const { createApiKey } = await request(
    `mutation ($canSign: Boolean, $project: ID) { createApiKey(canSign: $canSign, project: $project) { secret } }`,
    variables,
  );
  return signingKeyOf(createApiKey.secret);
}

/** A credential that a backend signs with its API key. `kid` or `iss` names the key. */
export function sign(
  { id, secret }: SigningApiKey,
  claims: JWTPayload,
  { alg = 'HS256', by = 'kid' }: { alg?: string; by?: 'kid' | 'iss' } = {},
): Promise<string> {
  return new SignJWT({ ...claims, ...(by === 'iss' && { iss: id }) })
    .setProtectedHeader({ alg, ...(by === 'kid' && { kid: id }) })
    .sign(signingSecretOf(secret));
}

/** The secret that an API key signs with; that of an issuer signs itself. */
export function signingSecretOf(secret: string): Buffer {
  const isApiKey = secret.startsWith('key_');
  return isApiKey
    ? createHmac('sha256', secret).update('signalbox credential').digest()
    : Buffer.from(secret);
}

const VIEWER_TOKEN = `{ viewer { project token {
  id identity origin issuer role customRole connectionData expiresAt
  grants { channels actions } claimedGrants { channels actions }
} } }`;

/** The token of a credential, read over HTTP. */
export async function tokenOf({ request }: ServiceClient, credential: string): Promise<any> {
  return (await request(VIEWER_TOKEN, {}, credential)).viewer.token;
}

/** The code with which a credential is refused over HTTP; `open` if it is accepted. */
export async function refusalCodeOf({ ask }: ServiceClient, credential: string): Promise<string> {
  return codeOf(await ask(`{ viewer { kind } }`, {}, credential)) ?? 'open';
}

/** The message with which a credential is refused over HTTP; `open` if it is accepted. */
export async function refusalMessageOf({ ask }: ServiceClient, credential: string): Promise<string> {
  return (await ask(`{ viewer { kind } }`, {}, credential)).errors?.[0]?.message ?? 'open';
}

export const codeOf = ({ errors }: Answer) => errors?.[0]?.extensions['code'] as string | undefined;

/** The events of a client, with the fields that these tests read. */
export const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename
  ... on Connected { cursor token { id identity role } channels { id } connection { id } }
  ... on ChannelAvailable { channel { id } }
  ... on ChannelUnavailable { channel { id } reason }
  ... on ChannelMessage { message { event cursor channel sender { identity token connectionData } } }
  ... on DirectMessage { message { event cursor channel } }
  ... on TokenUpdated { token { id role connectionData expiresAt } }
  ... on TokenExpiring { expiresAt }
  ... on Disconnecting { reason }
} }`;
