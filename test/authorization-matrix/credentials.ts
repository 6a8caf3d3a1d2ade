import { mint, revokeToken, updateToken } from '../support/backend.ts';
import { type ManualClock } from '../support/clock.ts';
import { forge } from '../support/forge.ts';
import { type ServiceClient } from '../support/service.ts';
import { PLACES, type KnownName, type StrangerName } from './callers.ts';

/** What somebody presents. */
export interface Presented {
  bearer: string | null;
  /** The project that it names besides. */
  project?: string;
  /** The id of its token. */
  token?: string;
}

const SECRET = 'a secret that has 32 bytes or more';
const STREAM_SECRET = 'the secret of Stream';
const ALL = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'];

/** A JWT of a backend's own. */
export const selfMinted = (kid: string, payload: object, secret = SECRET) =>
  forge({ alg: 'HS256', typ: 'JWT', kid }, payload, secret);
const streamToken = (payload: object) => forge({ alg: 'HS256', typ: 'JWT' }, payload, STREAM_SECRET);

const member = { channels: PLACES };

/** Gives every caller what it presents. What has a time is a minute old when this resolves. */
export async function cast(
  doors: ServiceClient,
  clock: ManualClock,
  other: ServiceClient,
): Promise<Record<KnownName | StrangerName, Presented>> {
  const { request } = doors;
  const seconds = () => clock.now() / 1000;
  const ofToken = ({ id, credential }: { id: string; credential: string }): Presented => ({
    bearer: credential,
    token: id,
  });
  const newKey = async ({ request }: ServiceClient = doors, args = '') =>
    (await request(`mutation { createApiKey${args} { secret apiKey { id } } }`)).createApiKey;
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
  const [gone, ended] = [await newIssuer('SIGNALBOX', 'gone'), await newIssuer('SIGNALBOX', 'ended')];
  await request(
    'mutation ($i: ID!, $s: String!) { addIssuerKey(issuer: $i, key: { id: "lost", secret: $s }) { id } }',
    { i: backend, s: SECRET },
  );

  const expiring = await mint(doors, { expiresIn: 60 });
  const shortened = await mint(doors);
  const rotated = await newKey();
  await updateToken(doors, shortened.id, { expiresIn: 60 });
  await request('mutation ($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 60) { secret } }', {
    id: rotated.apiKey.id,
  });
  const late = selfMinted('backend', { sub: 'late', iat: seconds(), exp: seconds() + 60 });
  await clock.advance(60_000);

  const revoked = await mint(doors);
  const purged = await mint(doors, { identity: 'purged' });
  const undated = streamToken({ user_id: 'undated' });
  await revokeToken(doors, revoked.id);
  const ofEnded = selfMinted('ended', { sub: 'ben', iat: seconds() });
  await clock.advance(1000);
  await revokeMany('identity: "purged"');
  await revokeMany('identity: "undated", issuedBefore: "2001-01-01T00:00:00Z"');
  await revokeMany(`issuer: "${ended}"`);
  await request('mutation ($i: ID!) { removeIssuer(issuer: $i) { id } }', { i: gone });
  await request('mutation ($i: ID!) { removeIssuerKey(issuer: $i, key: "lost") { id } }', { i: backend });
  const silent = await newKey();
  const revokedKey = await newKey();
  await request('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', { id: revokedKey.apiKey.id });

  const muted = await mint(doors, member);
  await restrict('mute', `token: "${muted.id}"`);
  const mutedByName = await mint(doors, { ...member, identity: 'muted', role: 'MODERATOR' });
  await restrict('mute', 'identity: "muted"');
  const banned = await mint(doors, { ...member, role: 'MODERATOR' });
  for (const place of PLACES) await restrict('ban', `token: "${banned.id}", channel: "${place}"`);
  const grants = [{ channels: 'lobby:*', actions: ALL }];
  const guest = (await request('mutation { createGuest { token { id } credential } }', {}, null)).createGuest;
  const ours = await mint(doors);

  return {
    'the operator’s key': { bearer: 'key_test.0123456789abcdef0123456789' },
    'an API key': { bearer: (await newKey()).secret },
    'an API key of another project': { bearer: (await newKey(other)).secret },
    'nobody in particular': { bearer: null },
    'nobody in particular, in another project': { bearer: null, project: 'other' },
    'a guest': { bearer: guest.credential, token: guest.token.id },
    'a subscriber': ofToken(await mint(doors, { ...member, role: 'SUBSCRIBER' })),
    'a publisher': ofToken(await mint(doors, member)),
    'a moderator': ofToken(await mint(doors, { ...member, role: 'MODERATOR' })),
    'a publisher who is muted': ofToken(muted),
    'a moderator who is muted by identity': ofToken(mutedByName),
    'a moderator who is banned': ofToken(banned),
    'a moderator whose grants are for other channels': ofToken(
      await mint(doors, { role: 'MODERATOR', grants }),
    ),
    'a moderator of another project': ofToken(await mint(other, { role: 'MODERATOR' })),
    'a Stream user who is a member of nothing': { bearer: streamToken({ user_id: 'ada', iat: seconds() }) },
    'a moderator by its own backend’s word, in one channel': {
      bearer: selfMinted('backend', {
        sub: 'eve',
        role: 'MODERATOR',
        grants: [{ channels: 'room', actions: ['SUBSCRIBE', 'MODERATE'] }],
        iat: seconds(),
      }),
    },

    'a credential that is none': { bearer: 'x.y.z' },
    'a credential that nobody signed': { bearer: forge({ alg: 'none', typ: 'JWT' }, { user_id: 'ada' }) },
    'an API key that is none': { bearer: 'key_test' },
    'an API key that is unknown': { bearer: 'key_nobody.0123456789abcdef0123456789' },
    'an API key that was revoked': { bearer: revokedKey.secret },
    'an API key that was rotated out': { bearer: rotated.secret },
    'a credential that has expired': { bearer: expiring.credential },
    'a credential of a token that was shortened': { bearer: shortened.credential },
    'a self-minted credential that has expired': { bearer: late },
    'a self-minted credential that is not valid yet': {
      bearer: selfMinted('backend', { sub: 'ben', nbf: seconds() + 60 }),
    },
    'a self-minted credential of tomorrow': {
      bearer: selfMinted('backend', { sub: 'ben', iat: seconds() + 86_400 }),
    },
    'a credential of a token that was revoked': { bearer: revoked.credential },
    'a credential whose identity was revoked': { bearer: purged.credential },
    'a self-minted credential whose issuer was revoked': { bearer: ofEnded },
    'a self-minted credential without a date, whose identity was revoked': { bearer: undated },
    'a credential signed by an issuer that was removed': { bearer: selfMinted('gone', { sub: 'ben' }) },
    'a credential signed with a key that was removed': { bearer: selfMinted('lost', { sub: 'ben' }) },
    'a credential signed by an API key that does not sign': {
      bearer: selfMinted(silent.apiKey.id, { sub: 'ben' }, silent.secret),
    },
    'a credential of one project for another': { bearer: ours.credential, project: 'other' },
    'an API key of one project for another': { bearer: (await newKey()).secret, project: 'other' },
    'a Stream credential of one project for another': {
      bearer: streamToken({ user_id: 'ada', iat: seconds() }),
      project: 'other',
    },
  };
}
