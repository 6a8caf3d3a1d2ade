import { createRequire } from 'node:module';
import { SignJWT, type JWTPayload } from 'jose';
import { StreamChat } from 'stream-chat';
import twilio from 'twilio';
import { vi } from 'vitest';
import { createManualClock, type ManualClock } from './clock.ts';
import { type Answer, type ServiceClient } from './service.ts';

/** Backends that sign for themselves, with the packages that their vendors gave them. */

/** A manual clock that `Date` follows until disposed, for vendors’ packages ask the system for the time. */
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

/** Presence and retention look around seldom, so that a month passes in a moment. */
export const INFREQUENT_UPKEEP = { leaseMs: 300_000, purgeIntervalMs: 3_600_000 };

/** Registers an issuer; resolves to its id. */
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

interface TwilioParts {
  account?: string;
  service?: string;
  key?: { id: string; secret: string };
  algorithm?: string;
}

/** An access token with a grant for Sync, of an hour unless told otherwise. */
export function mintTwilio(
  options: { identity: string; ttl?: number; nbf?: number },
  { account, service, key, algorithm }: TwilioParts = {},
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
// It has no types of its own.
const OpenTok = createRequire(import.meta.url)('opentok');

/** The id of a session, which says whose it is. */
export function opentokSessionId(name: string, key = OPENTOK.key.id): string {
  return `2_${Buffer.from(`1~${key}~~${name}~0.5~`).toString('base64url')}`;
}

/** A connection token: today's JWT, or as it was before. */
export function mintOpentok(
  session: string,
  options: object = {},
  { layout = 'JWT', key = OPENTOK.key }: { layout?: 'JWT' | 'T1'; key?: { id: string; secret: string } } = {},
): string {
  return new OpenTok(key.id, key.secret).generateToken(session, options, layout === 'T1');
}

export interface SigningApiKey {
  id: string;
  /** `key_<id>.<secret>`, which is also what it signs with. */
  secret: string;
}

/** The API key behind its whole text. */
export const signingKeyOf = (text: string): SigningApiKey => ({ id: text.split('.')[0]!, secret: text });

/** An API key that signs, unless told otherwise; by the operator also for another project. */
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

/** A credential as a backend signs it with its API key, which `kid` or `iss` names. */
export function sign(
  { id, secret }: SigningApiKey,
  claims: JWTPayload,
  { alg = 'HS256', by = 'kid' }: { alg?: string; by?: 'kid' | 'iss' } = {},
): Promise<string> {
  return new SignJWT({ ...claims, ...(by === 'iss' && { iss: id }) })
    .setProtectedHeader({ alg, ...(by === 'kid' && { kid: id }) })
    .sign(Buffer.from(secret));
}

const WHO = `{ viewer { project token {
  id identity origin issuer role customRole connectionData expiresAt
  grants { channels actions } claimedGrants { channels actions }
} } }`;

/** The token that a credential stands for, asked over HTTP. */
export async function tokenOf({ request }: ServiceClient, credential: string): Promise<any> {
  return (await request(WHO, {}, credential)).viewer.token;
}

/** The code with which a credential is refused over HTTP; `open` where it is not. */
export async function refusalCodeOf({ ask }: ServiceClient, credential: string): Promise<string> {
  return codeOf(await ask(`{ viewer { kind } }`, {}, credential)) ?? 'open';
}

/** Why it is refused, in words. */
export async function refusalMessageOf({ ask }: ServiceClient, credential: string): Promise<string> {
  return (await ask(`{ viewer { kind } }`, {}, credential)).errors?.[0]?.message ?? 'open';
}

export const codeOf = ({ errors }: Answer) => errors?.[0]?.extensions['code'] as string | undefined;

/** What a client hears, as far as these tests look at it. */
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
