export type Claims = Record<string, unknown>;

/** A page of docs/providers, with what its tokens are. */
export interface ProviderPage {
  name: string;
  alg: 'RS256' | 'ES256' | 'ES384';
  /** The claim that names the audience. */
  audience: string;
  identity: string;
  /** False when the tokens of the provider state no role. */
  hasRole?: false;
  /** Claims of tokens that look similar and have to be refused, with the reason. */
  neighbours: readonly [string, Claims, string][];
}

const AUDIENCE = 'must contain an audience of its issuer';
const UNKNOWN = 'no issuer of this project signed it';
/** The pages of docs/providers. */
export const PROVIDER_PAGES: readonly ProviderPage[] = [
  {
    name: 'auth0',
    alg: 'RS256',
    audience: 'aud',
    identity: 'auth0|5f7c8ec7c33c6c004bbafe82',
    neighbours: [
      ['an ID token', { aud: 'my_client_id' }, AUDIENCE],
      ['an issuer without the slash', { iss: 'https://example.eu.auth0.com' }, UNKNOWN],
    ],
  },
  {
    name: 'keycloak',
    alg: 'RS256',
    audience: 'azp',
    identity: 'f:6b6dbe2c-7d0e-4c7e-9f2f-5a4a1c1f0b11:ada',
    neighbours: [
      ['the client in aud only', { azp: undefined, aud: 'web' }, AUDIENCE],
      ['another realm', { iss: 'https://login.example.com/realms/other' }, UNKNOWN],
      ['no sub, as without the scope basic', { sub: undefined }, 'its “sub” must be a string'],
    ],
  },
  {
    name: 'entra-id',
    alg: 'RS256',
    audience: 'aud',
    identity: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
    neighbours: [
      ['Microsoft Graph as its audience', { aud: '00000003-0000-0000-c000-000000000000' }, AUDIENCE],
      ['version 1', { iss: 'https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/' }, UNKNOWN],
      ['no oid', { oid: undefined }, 'its “oid” must be a string'],
    ],
  },
  {
    name: 'cognito',
    alg: 'RS256',
    audience: 'client_id',
    identity: '248289dc-1c23-4d0a-8ae2-5a1d93f2f44a',
    neighbours: [
      [
        'the claims of an ID token',
        { client_id: undefined, aud: 'web1example2client3id4', token_use: 'id' },
        AUDIENCE,
      ],
    ],
  },
  {
    name: 'clerk',
    alg: 'RS256',
    audience: 'azp',
    identity: 'user_2GbfzGexample',
    neighbours: [
      ['a slash after its origin', { azp: 'https://app.example.com/' }, AUDIENCE],
      ['the role of an organization', { role: 'org:admin' }, 'its “role”'],
    ],
  },
  {
    name: 'firebase',
    alg: 'RS256',
    audience: 'aud',
    identity: 'ZxG4hQ8fExampleUid2',
    neighbours: [
      [
        'the claims of another project',
        { iss: 'https://securetoken.google.com/other', aud: 'other' },
        UNKNOWN,
      ],
      ['the issuer of session cookies', { iss: 'https://session.firebase.google.com/my-project' }, UNKNOWN],
    ],
  },
  {
    name: 'supabase',
    alg: 'ES256',
    audience: 'aud',
    identity: 'd0714948-69a3-4b2a-9d1f-0a1b2c3d4e5f',
    neighbours: [['the audience of the key anon', { aud: 'anon', role: 'anon' }, AUDIENCE]],
  },
  {
    name: 'adfs',
    alg: 'RS256',
    audience: 'aud',
    identity: '3Mc5mLzB3kX0rVv8rKgSgX0pXlq3mM4r8gV+0/5dZ0c=',
    neighbours: [
      ['the issuer of ID tokens', { iss: 'https://adfs.example.com/adfs' }, UNKNOWN],
      ['the issuer with https', { iss: 'https://adfs.example.com/adfs/services/trust' }, UNKNOWN],
      ['a single group that is no role', { role: 'Domain Users' }, 'its “role”'],
    ],
  },
  {
    name: 'privy',
    alg: 'ES256',
    audience: 'aud',
    identity: 'did:privy:cm3np4u9j001rc8b73seqmqqk',
    hasRole: false,
    neighbours: [
      ['another app', { aud: 'cm9z8y7x6w5v4u3t2s1r0q9p8' }, AUDIENCE],
      ['a URL as its issuer', { iss: 'https://privy.io' }, UNKNOWN],
    ],
  },
  {
    name: 'stytch',
    alg: 'RS256',
    audience: 'aud',
    identity: 'user-live-fde03dd1-fff7-4b3c-9b31-ead3fbc224de',
    neighbours: [['another project', { iss: 'stytch.com/project-live-0' }, UNKNOWN]],
  },
  {
    name: 'dynamic',
    alg: 'RS256',
    audience: 'scope',
    identity: '95b11417-f18f-457f-8804-68e361f9164f',
    hasRole: false,
    neighbours: [
      ['a second factor that is missing', { scope: 'requiresAdditionalAuth' }, AUDIENCE],
      ['a scope that only begins with it', { scope: 'user:basics user:basic:read' }, AUDIENCE],
      ['another environment', { iss: 'app.dynamic.xyz/0' }, UNKNOWN],
    ],
  },
  {
    name: 'descope',
    alg: 'RS256',
    audience: 'drn',
    identity: 'U2P6O3tsPmf4iWhUuMcUPkzyzoBS',
    neighbours: [['the name of a refresh token', { drn: 'DSR' }, AUDIENCE]],
  },
  {
    name: 'workos',
    alg: 'RS256',
    audience: 'iss',
    identity: 'user_01HBEQKA6K4QJAS93VPE39W1JT',
    neighbours: [
      ['another client', { iss: 'https://api.workos.com/user_management/client_0' }, UNKNOWN],
      ['the issuer of all clients', { iss: 'https://api.workos.com' }, UNKNOWN],
    ],
  },
  {
    name: 'kinde',
    alg: 'RS256',
    audience: 'azp',
    identity: 'kp_0c5a8f1d2e3b4c6f9a7d',
    neighbours: [
      ['another application', { azp: '0' }, AUDIENCE],
      ['no sub, as of a machine', { sub: undefined }, 'its “sub” must be a string'],
    ],
  },
  {
    name: 'zitadel',
    alg: 'RS256',
    audience: 'aud',
    identity: '209358098523844523',
    neighbours: [
      ['another application', { aud: ['0@chat', '209357898523844523'] }, AUDIENCE],
      [
        'roles that are an object of something else',
        { 'urn:zitadel:iam:org:project:roles': { moderator: true } },
        'its “urn:zitadel:iam:org:project:roles” must be',
      ],
    ],
  },
  {
    name: 'authentik',
    alg: 'RS256',
    audience: 'aud',
    identity: '5a1f0c2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8',
    neighbours: [
      ['another application', { iss: 'https://login.example.com/application/o/mail/' }, UNKNOWN],
      ['an issuer without the slash', { iss: 'https://login.example.com/application/o/chat' }, UNKNOWN],
    ],
  },
  {
    name: 'okta',
    alg: 'RS256',
    audience: 'aud',
    identity: '00u5t60iloOHN9pBi0h7',
    neighbours: [
      ['the org authorization server', { iss: 'https://example.okta.com' }, UNKNOWN],
      ['the audience of an ID token', { aud: '0oa1ex2am3ple4id5' }, AUDIENCE],
      ['no uid, as of a service', { uid: undefined }, 'its “uid” must be a string'],
    ],
  },
  {
    name: 'ory',
    alg: 'RS256',
    audience: 'client_id',
    identity: '8f0f4a1e-2c6d-4b3e-a9d8-1b2c3d4e5f60',
    neighbours: [['another client', { client_id: '0' }, AUDIENCE]],
  },
  {
    name: 'fusionauth',
    alg: 'RS256',
    audience: 'aud',
    identity: '00000000-0000-4000-8000-000000000001',
    neighbours: [['another application', { aud: '0' }, AUDIENCE]],
  },
  {
    name: 'logto',
    alg: 'ES384',
    audience: 'aud',
    identity: '5pv1kq0zr3yx',
    neighbours: [['the audience of an ID token', { aud: '8r1zk4w7m2q9x5t3' }, AUDIENCE]],
  },
];
