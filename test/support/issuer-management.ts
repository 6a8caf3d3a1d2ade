import { type ServiceClient } from './service.ts';

/** The operations by which a backend manages the issuers of its project. */

export const CREATE_ISSUER = `mutation ($input: CreateIssuerInput!) { createIssuer(input: $input) { id } }`;
export const ADD_KEY = `mutation ($i: ID!, $key: IssuerKeyInput!) { addIssuerKey(issuer: $i, key: $key) { keys { id } } }`;
export const REMOVE_KEY = `mutation ($i: ID!, $k: ID!, $s: Int!) { removeIssuerKey(issuer: $i, key: $k, overlapSeconds: $s) { keys { id } } }`;
const LIST = `{ project { issuers {
  id kind name account service provider { url issuer audiences algorithms claims { audience identity role grants connectionData } }
  createdAt keys { id createdAt expiresAt }
} } }`;

export const JWKS = {
  kind: 'JWKS',
  provider: { url: 'https://login.example/keys', issuer: 'https://login.example/', audiences: ['us'] },
};

/** The issuers of the project, with all their fields. */
export const listIssuers = async ({ request }: ServiceClient) => (await request(LIST)).project.issuers;

/** The code of the operation's first error, with its `field` and `limit`; `none` if the operation succeeds. */
export async function errorOf({ ask }: ServiceClient, query: string, variables: object): Promise<unknown> {
  const answer = await ask(query, variables);
  const { code, field, limit } = answer.errors?.[0]?.extensions ?? {};
  return answer.errors
    ? { code, ...(field !== undefined && { field }), ...(limit !== undefined && { limit }) }
    : 'none';
}
