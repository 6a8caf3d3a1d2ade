import { dissect } from '../support/forge.ts';
import { type ServiceClient } from '../support/service.ts';

const PROJECT = `{
  projects(first: 100) { nodes { id name } }
  project { id name
    settings { developmentTokens guests guestSeconds anonymous emailIdentities publishersSignal defaultLifetimeSeconds
      maxLifetimeSeconds expiryWarningSeconds expiryGraceSeconds permissions { roles { name } kinds { name } stated { role } } }
    apiKeys(first: 100) { nodes { id name isOperator canSign createdAt expiresAt revokedAt } }
    issuers { id name kind keys { id createdAt expiresAt } } }
  revocations(first: 100) { nodes { scope identity issuer issuedBefore createdAt } }
  restrictions(first: 100) { nodes { id kind token identity channel reason createdAt until } }
}`;
const TOKENS = `{ tokens(first: 100) { pageInfo { hasNextPage } nodes { id identity origin issuer role customRole
  grants { channels actions } claimedGrants { channels actions } connectionData state createdAt expiresAt revokedAt } } }`;
const CHANNELS = `{ channels(first: 100) { nodes { id type kind state version createdAt history { messages seconds }
  tokens(first: 50) { nodes { id } } presence { members(first: 10) { nodes { id token state } } } } } }`;
const MESSAGES = `query ($id: ID!) { channel(id: $id) { messages { nodes { id } } } }`;
const HEAD = `mutation ($t: ID!) { createCredential(token: $t) { cursor credential } }`;

/** Everything that the operator can read of the project: settings, tokens, channels, messages, and the signing key. */
export async function takeSnapshot({ request }: ServiceClient, anyToken: string): Promise<object> {
  const { channels } = await request(CHANNELS);
  const messages: unknown[] = [];
  for (const { id } of channels.nodes as { id: string }[]) messages.push(await request(MESSAGES, { id }));
  const { cursor, credential } = (await request(HEAD, { t: anyToken })).createCredential;
  return {
    ...(await request(PROJECT)),
    ...(await request(TOKENS)),
    channels,
    messages,
    // Covers direct messages as well: the cursor stays equal only if nothing was appended to the log.
    cursor,
    signedWith: dissect(credential).header.kid,
  };
}
