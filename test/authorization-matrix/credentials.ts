import { mint, revokeToken, updateToken } from '../support/backend.ts';
import { type ManualClock } from '../support/clock.ts';
import { forge } from '../support/forge.ts';
import { signingSecretOf } from '../support/external-credentials.ts';
import { type ServiceClient } from '../support/service.ts';
import { CHANNELS, type AcceptedName, type RejectedName } from './callers.ts';

/** The credential that a caller presents. */
export interface PresentedCredential {
  bearer: string | null;
  /** The project that the caller names in addition. */
  project?: string;
  /** The id of the caller's token. */
  token?: string;
}

const SECRET = 'a secret that has 32 bytes or more';
const STREAM_SECRET = 'the secret of Stream';
const ALL = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'];

/** A JWT signed by a backend. */
export const externalCredential = (kid: string, payload: object, secret = SECRET) =>
  forge({ alg: 'HS256', typ: 'JWT', kid }, payload, signingSecretOf(secret));
const streamToken = (payload: object) => forge({ alg: 'HS256', typ: 'JWT' }, payload, STREAM_SECRET);

const member = { channels: CHANNELS };

/** Creates the credentials of all callers. Advances the clock by 61 seconds, so that those with a short expiry have expired. */
export async function createCredentials(
  service: ServiceClient,
  clock: ManualClock,
  other: ServiceClient,
): Promise<Record<AcceptedName | RejectedName, PresentedCredential>> {
  const { request } = service;
  const seconds = () => clock.now() / 1000;
  const presentedToken = ({ id, credential }: { id: string; credential: string }): PresentedCredential => ({
    bearer: credential,
    token: id,
  });
  const newKey = async ({ request }: ServiceClient = service, args = '') =>
    (await request(`mutation { createApiKey${args} { secret apiKey { id } } }`)).createApiKey;
  const keyWith = async (scopes: string) => ({
    bearer: (await newKey(service, `(scopes: ${scopes})`)).secret,
  });
  const newIssuer = async (kind: string, id: string, secret = SECRET) =>
    (
      await request('mutation ($input: CreateIssuerInput!) { createIssuer(input: $input) { id } }', {
        input: { kind, key: { id, secret } },
      })
    ).createIssuer.id as string;
  const restrict = (field: 'mute' | 'ban', args: string) =>
    request<unknown>(`mutation { ${field}(${args}) { id } }`);
  const revokeMany = (args: string) => request<unknown>(`mutation { revokeTokens(${args}) { connections } }`);

  await newIssuer('STREAM', 'stream', STREAM_SECRET);
  const backend = await newIssuer('SIGNALBOX', 'backend');
  const [removedIssuer, revokedIssuer] = [
    await newIssuer('SIGNALBOX', 'removedIssuer'),
    await newIssuer('SIGNALBOX', 'revokedIssuer'),
  ];
  await request(
    'mutation ($i: ID!, $s: String!) { addIssuerKey(issuer: $i, key: { id: "lost", secret: $s }) { id } }',
    { i: backend, s: SECRET },
  );

  const expiring = await mint(service, { expiresIn: 60 });
  const shortened = await mint(service);
  const rotated = await newKey();
  await updateToken(service, shortened.id, { expiresIn: 60 });
  await request('mutation ($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 60) { secret } }', {
    id: rotated.apiKey.id,
  });
  const expired = externalCredential('backend', { sub: 'expired', iat: seconds(), exp: seconds() + 60 });
  await clock.advance(60_000);

  const revoked = await mint(service);
  const purged = await mint(service, { identity: 'purged' });
  const undated = streamToken({ user_id: 'undated' });
  await revokeToken(service, revoked.id);
  const ofRevokedIssuer = externalCredential('revokedIssuer', { sub: 'ben', iat: seconds() });
  await clock.advance(1000);
  await revokeMany('identity: "purged"');
  await revokeMany('identity: "undated", issuedBefore: "2001-01-01T00:00:00Z"');
  await revokeMany(`issuer: "${revokedIssuer}"`);
  await request('mutation ($i: ID!) { removeIssuer(issuer: $i) { id } }', { i: removedIssuer });
  await request('mutation ($i: ID!) { removeIssuerKey(issuer: $i, key: "lost") { id } }', { i: backend });
  const nonSigningKey = await newKey();
  const revokedKey = await newKey();
  await request('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', { id: revokedKey.apiKey.id });

  const muted = await mint(service, member);
  await restrict('mute', `token: "${muted.id}"`);
  const mutedByIdentity = await mint(service, { ...member, identity: 'muted', role: 'MODERATOR' });
  await restrict('mute', 'identity: "muted"');
  const banned = await mint(service, { ...member, role: 'MODERATOR' });
  for (const channel of CHANNELS) await restrict('ban', `token: "${banned.id}", channel: "${channel}"`);
  const grants = [{ channels: 'lobby:*', actions: ALL }];
  const guest = (await request('mutation { createGuest { token { id } credential } }', {}, null)).createGuest;
  const ownToken = await mint(service);

  return {
    'the operator’s key': { bearer: 'key_test.Zm9yIHRlc3RzIG9ubHkgMzIgYnl0ZXMgb2Yga2V5ISE' },
    'an API key': { bearer: (await newKey()).secret },
    'an API key with the scope READ': await keyWith('[READ]'),
    'an API key with the scope PUBLISH': await keyWith('[PUBLISH]'),
    'an API key with the scope TOKENS': await keyWith('[TOKENS]'),
    'an API key with the scope CHANNELS': await keyWith('[CHANNELS]'),
    'an API key with the scope MODERATE': await keyWith('[MODERATE]'),
    'an API key with the scope KEYS': await keyWith('[KEYS]'),
    'an API key with the scope ADMIN': await keyWith('[ADMIN]'),
    'an API key limited to one channel': await keyWith(
      '[READ, PUBLISH, CHANNELS, MODERATE], channels: "roo*"',
    ),
    'an API key of another project': { bearer: (await newKey(other)).secret },
    'an anonymous caller': { bearer: null },
    'an anonymous caller of another project': { bearer: null, project: 'other' },
    'a guest': { bearer: guest.credential, token: guest.token.id },
    'a subscriber': presentedToken(await mint(service, { ...member, role: 'SUBSCRIBER' })),
    'a publisher': presentedToken(await mint(service, member)),
    'a moderator': presentedToken(await mint(service, { ...member, role: 'MODERATOR' })),
    'a muted publisher': presentedToken(muted),
    'a moderator whose identity is muted': presentedToken(mutedByIdentity),
    'a banned moderator': presentedToken(banned),
    'a moderator whose grants are for other channels': presentedToken(
      await mint(service, { role: 'MODERATOR', grants }),
    ),
    'a moderator of another project': presentedToken(await mint(other, { role: 'MODERATOR' })),
    'a Stream user without memberships': { bearer: streamToken({ user_id: 'ada', iat: seconds() }) },
    'a moderator with credential grants for one channel': {
      bearer: externalCredential('backend', {
        sub: 'eve',
        role: 'MODERATOR',
        grants: [{ channels: 'room', actions: ['SUBSCRIBE', 'MODERATE'] }],
        iat: seconds(),
      }),
    },

    'a malformed credential': { bearer: 'x.y.z' },
    'an unsigned credential': { bearer: forge({ alg: 'none', typ: 'JWT' }, { user_id: 'ada' }) },
    'a malformed API key': { bearer: 'key_test' },
    'an unknown API key': { bearer: 'key_nobody.0123456789abcdef0123456789' },
    'a revoked API key': { bearer: revokedKey.secret },
    'a rotated API key after its overlap': { bearer: rotated.secret },
    'an expired credential': { bearer: expiring.credential },
    'a credential of a token with a shortened expiry': { bearer: shortened.credential },
    'an expired external credential': { bearer: expired },
    'an external credential that is not valid yet': {
      bearer: externalCredential('backend', { sub: 'ben', nbf: seconds() + 60 }),
    },
    'an external credential issued in the future': {
      bearer: externalCredential('backend', { sub: 'ben', iat: seconds() + 86_400 }),
    },
    'a credential of a revoked token': { bearer: revoked.credential },
    'a credential of a revoked identity': { bearer: purged.credential },
    'an external credential of a revoked issuer': { bearer: ofRevokedIssuer },
    'an external credential without iat, of a revoked identity': { bearer: undated },
    'a credential of a removed issuer': { bearer: externalCredential('removedIssuer', { sub: 'ben' }) },
    'a credential signed with a removed key': { bearer: externalCredential('lost', { sub: 'ben' }) },
    'a credential signed with an API key that may not sign': {
      bearer: externalCredential(nonSigningKey.apiKey.id, { sub: 'ben' }, nonSigningKey.secret),
    },
    'a credential presented to another project': { bearer: ownToken.credential, project: 'other' },
    'an API key presented to another project': { bearer: (await newKey()).secret, project: 'other' },
    'a Stream credential presented to another project': {
      bearer: streamToken({ user_id: 'ada', iat: seconds() }),
      project: 'other',
    },
  };
}
