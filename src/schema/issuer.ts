import { type ClaimMap, type Issuer, type IssuerKey, type Provider } from '../tokens/issuers/issuer.ts';
import { MAX_ISSUERS, MAX_KEY_OVERLAP_SECONDS, MAX_KEYS_PER_ISSUER } from '../tokens/issuers/issuers.ts';
import { builder, nullToUndefined } from './builder.ts';
import { IssuerKindEnum, JwksAlgorithmEnum } from './enums.ts';
import {
  CreateIssuerInput,
  IssuerKeyInput,
  readClaimMap,
  readKey,
  UpdateIssuerInput,
} from './issuer-input.ts';
import { ProjectRef } from './project.ts';

const IssuerKeyRef = builder
  .objectRef<Pick<IssuerKey, 'id' | 'expiresAt'> & { createdAt: number }>('IssuerKey')
  .implement({
    description: 'A key that an issuer signs credentials with. The API never returns its secret.',
    fields: (t) => ({
      id: t.exposeID('id', {
        description:
          'The id that the issuer uses for the key: `SK…`, an API key of Stream or OpenTok, or your own id.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the key was added.' }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the key stops verifying credentials; null: never.',
      }),
    }),
  });

const ClaimMapRef = builder.objectRef<ClaimMap>('ClaimMap').implement({
  description:
    'Which claims of a provider hold the rights of a token. Each value is the name of a claim or a JSON pointer such as `/realm_access/role`.',
  fields: (t) => ({
    identity: t.exposeString('identity', { description: 'The claim that holds the identity.' }),
    audience: t.exposeString('audience', { description: 'The claim that names the audience.' }),
    role: t.exposeString('role', {
      nullable: true,
      description: 'The claim that holds the role; null: none.',
    }),
    grants: t.exposeString('grants', {
      nullable: true,
      description: 'The claim that holds the grants; null: none.',
    }),
    connectionData: t.exposeString('connectionData', {
      nullable: true,
      description: 'The claim that holds the connection data; null: none.',
    }),
  }),
});

const ProviderRef = builder.objectRef<Provider>('Provider').implement({
  description: 'An OpenID provider.',
  fields: (t) => ({
    url: t.exposeString('url', { description: 'The URL of its JSON Web Key Set.' }),
    issuer: t.exposeString('issuer', { description: 'The exact value of the claim `iss`.' }),
    audiences: t.stringList({
      description: 'The audiences of which the claim must name one.',
      resolve: ({ audiences }) => [...audiences],
    }),
    algorithms: t.field({
      type: [JwksAlgorithmEnum],
      description: 'The algorithms that it may sign with.',
      resolve: ({ algorithms }) => [...algorithms],
    }),
    claims: t.expose('claims', {
      type: ClaimMapRef,
      description: 'The claims that hold identity, role, grants and connection data.',
    }),
  }),
});

const IssuerRef = builder.objectRef<Issuer>('Issuer').implement({
  description: 'A party other than Signalbox that signs credentials which the project accepts.',
  fields: (t) => ({
    id: t.exposeID('id', { description: '`issuer_…`' }),
    kind: t.expose('kind', { type: IssuerKindEnum, description: 'The format of its credentials.' }),
    name: t.exposeString('name', { description: 'The display name.' }),
    account: t.exposeString('account', { nullable: true, description: 'TWILIO: the account SID.' }),
    service: t.exposeString('service', { nullable: true, description: 'TWILIO: the Sync service SID.' }),
    provider: t.expose('provider', { type: ProviderRef, nullable: true, description: 'JWKS: the provider.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the issuer was created.' }),
    keys: t.field({
      type: [IssuerKeyRef],
      description: 'The keys that it signs with. For API keys.',
      resolve: ({ id }, _, { caller, domain }) => domain.issuers.keysOf(caller, id),
    }),
  }),
});

builder.objectField(ProjectRef, 'issuers', (t) =>
  t.field({
    type: [IssuerRef],
    description: `The issuers whose credentials the project accepts, at most ${MAX_ISSUERS}. For API keys of the project.`,
    resolve: (project, _, { caller, domain }) => domain.issuers.list(caller, project.id),
  }),
);

const issuerArg = builder.args((t) => ({
  issuer: t.id({ required: true, description: 'The issuer’s id.' }),
}));

builder.mutationFields((t) => ({
  createIssuer: t.field({
    type: IssuerRef,
    description:
      'Accepts credentials that another party signs. A project has at most one issuer of the kind STREAM. Two issuers of one OpenID provider must read the same audience claim and have no audience in common. For API keys. Throws BAD_USER_INPUT, CONFLICT, LIMIT_EXCEEDED, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      input: t.arg({ type: CreateIssuerInput, required: true, description: 'The properties of the issuer.' }),
    },
    resolve: (_, { input }, { caller, domain }) =>
      domain.issuers.create(caller, {
        kind: input.kind,
        name: nullToUndefined(input.name),
        key: input.key ? readKey(input.key) : undefined,
        account: nullToUndefined(input.account),
        service: nullToUndefined(input.service),
        provider: input.provider
          ? {
              ...input.provider,
              audience: nullToUndefined(input.provider.audience),
              audiences: nullToUndefined(input.provider.audiences),
              algorithms: nullToUndefined(input.provider.algorithms),
              claims: readClaimMap(input.provider.claims),
            }
          : undefined,
      }),
  }),
  updateIssuer: t.field({
    type: IssuerRef,
    description:
      'Changes the given properties of an issuer. The changes apply to credentials that are presented from now on; live connections stay. For API keys. Throws NOT_FOUND, BAD_USER_INPUT, CONFLICT, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      ...issuerArg,
      input: t.arg({ type: UpdateIssuerInput, required: true, description: 'The changes.' }),
    },
    resolve: (_, { issuer, input: { name, service, provider } }, { caller, domain }) =>
      domain.issuers.update(caller, issuer, {
        name: nullToUndefined(name),
        service,
        provider: provider
          ? {
              url: nullToUndefined(provider.url),
              audiences: nullToUndefined(provider.audiences),
              algorithms: nullToUndefined(provider.algorithms),
              claims: readClaimMap(provider.claims),
            }
          : undefined,
      }),
  }),
  removeIssuer: t.field({
    type: IssuerRef,
    description:
      'Stops accepting the credentials of an issuer and at once closes the live connections that used them (close code 4403). The records of its tokens stay. For API keys. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN.',
    args: { ...issuerArg },
    resolve: (_, { issuer }, { caller, domain }) => domain.issuers.remove(caller, issuer),
  }),
  addIssuerKey: t.field({
    type: IssuerRef,
    description: `Adds a key to an issuer, so that keys can be rotated; an issuer has at most ${MAX_KEYS_PER_ISSUER} keys. An identity has the same token under all keys of an issuer. For API keys. Throws NOT_FOUND, CONFLICT, BAD_USER_INPUT, LIMIT_EXCEEDED, UNAUTHENTICATED, FORBIDDEN.`,
    args: {
      ...issuerArg,
      key: t.arg({ type: IssuerKeyInput, required: true, description: 'The key.' }),
    },
    resolve: (_, { issuer, key }, { caller, domain }) => domain.issuers.addKey(caller, issuer, readKey(key)),
  }),
  removeIssuerKey: t.field({
    type: IssuerRef,
    description:
      'Removes a key from an issuer. When the overlap ends, the live connections that used the key are closed. For API keys. Throws NOT_FOUND, BAD_USER_INPUT, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      ...issuerArg,
      key: t.arg.id({ required: true, description: 'The key’s id.' }),
      overlapSeconds: t.arg.int({
        required: true,
        defaultValue: 0,
        description: `How long the key still verifies credentials, in seconds: 0–${MAX_KEY_OVERLAP_SECONDS}. 0, the default, removes the key at once.`,
      }),
    },
    resolve: (_, { issuer, key, overlapSeconds }, { caller, domain }) =>
      domain.issuers.removeKey(caller, issuer, key, overlapSeconds),
  }),
}));
