import { type ClaimMap, type Issuer, type IssuerKey, type Provider } from '../tokens/issuers/issuer.ts';
import {
  MAX_ISSUER_TEXT_LENGTH,
  MAX_SECRET_BYTES,
  MIN_OWN_SECRET_BYTES,
} from '../tokens/issuers/issuer-input.ts';
import { MAX_ISSUERS, MAX_KEY_OVERLAP_SECONDS, MAX_KEYS_PER_ISSUER } from '../tokens/issuers/issuers.ts';
import { builder, nullToUndefined } from './builder.ts';
import { IssuerKindEnum, JwksAlgorithmEnum } from './enums.ts';
import { ProjectRef } from './project.ts';

const IssuerKeyRef = builder
  .objectRef<Pick<IssuerKey, 'id' | 'expiresAt'> & { createdAt: number }>('IssuerKey')
  .implement({
    description: 'A key that an issuer signs with. Its secret is never shown.',
    fields: (t) => ({
      id: t.exposeID('id', {
        description: 'As the issuer calls it: `SK…`, an API key of Stream or OpenTok, or yours.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was added.' }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it stops verifying; null: it is not known to.',
      }),
    }),
  });

const ClaimMapRef = builder.objectRef<ClaimMap>('ClaimMap').implement({
  description:
    'Where a provider says what: the name of a claim, or a JSON pointer such as `/realm_access/role`.',
  fields: (t) => ({
    identity: t.exposeString('identity', { description: 'Of the identity.' }),
    role: t.exposeString('role', { nullable: true, description: 'Of the role; null: nowhere.' }),
    grants: t.exposeString('grants', { nullable: true, description: 'Of the grants; null: nowhere.' }),
    connectionData: t.exposeString('connectionData', {
      nullable: true,
      description: 'Of what others see; null: nowhere.',
    }),
  }),
});

const ProviderRef = builder.objectRef<Provider>('Provider').implement({
  description: 'An OpenID provider.',
  fields: (t) => ({
    url: t.exposeString('url', { description: 'Where its JSON Web Key Set is.' }),
    issuer: t.exposeString('issuer', { description: 'What `iss` must be, to the letter.' }),
    audience: t.exposeString('audience', { description: 'What `aud` must be or contain.' }),
    algorithms: t.field({
      type: [JwksAlgorithmEnum],
      description: 'How it may sign.',
      resolve: ({ algorithms }) => [...algorithms],
    }),
    claims: t.expose('claims', { type: ClaimMapRef, description: 'Where it says what.' }),
  }),
});

const IssuerRef = builder.objectRef<Issuer>('Issuer').implement({
  description: 'Whoever signs credentials that the project accepts besides those that it mints itself.',
  fields: (t) => ({
    id: t.exposeID('id', { description: '`issuer_…`' }),
    kind: t.expose('kind', { type: IssuerKindEnum, description: 'How its credentials are read.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    account: t.exposeString('account', { nullable: true, description: 'TWILIO: the account SID.' }),
    service: t.exposeString('service', { nullable: true, description: 'TWILIO: the Sync service SID.' }),
    provider: t.expose('provider', { type: ProviderRef, nullable: true, description: 'JWKS: the provider.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    keys: t.field({
      type: [IssuerKeyRef],
      description: 'What it signs with. For API keys.',
      resolve: ({ id }, _, { caller, domain }) => domain.issuers.keysOf(caller, id),
    }),
  }),
});

builder.objectField(ProjectRef, 'issuers', (t) =>
  t.field({
    type: [IssuerRef],
    description: `Whose credentials it accepts besides its own, at most ${MAX_ISSUERS}. For API keys of the project.`,
    resolve: (project, _, { caller, domain }) => domain.issuers.list(caller, project.id),
  }),
);

const IssuerKeyInput = builder.inputType('IssuerKeyInput', {
  description: 'A key that an issuer signs with.',
  fields: (t) => ({
    id: t.id({
      required: true,
      description: `As the issuer calls it: TWILIO its SID, OPENTOK and STREAM the API key, SIGNALBOX what \`kid\` or \`iss\` will say. 1–${MAX_ISSUER_TEXT_LENGTH} characters.`,
    }),
    secret: t.string({
      required: true,
      description: `Its secret, at most ${MAX_SECRET_BYTES} bytes; SIGNALBOX at least ${MIN_OWN_SECRET_BYTES}. Kept encrypted, never shown.`,
    }),
  }),
});

const ClaimMapInput = builder.inputType('ClaimMapInput', {
  description:
    'Where a provider says what: the name of a claim, or a JSON pointer such as `/realm_access/role`.',
  fields: (t) => ({
    identity: t.string({ description: 'Of the identity; `sub` when absent.' }),
    role: t.string({ description: 'Of the role: the name of a role of the project. Absent: PUBLISHER.' }),
    grants: t.string({
      description:
        'Of the grants: a list of `{ channels, actions, exp }`, `exp` optional, in seconds. Absent: nothing narrows.',
    }),
    connectionData: t.string({ description: 'Of what others see. Absent: nothing.' }),
  }),
});

const ProviderInput = builder.inputType('ProviderInput', {
  description: 'An OpenID provider.',
  fields: (t) => ({
    url: t.string({ required: true, description: 'Where its JSON Web Key Set is: https.' }),
    issuer: t.string({
      required: true,
      description: 'What `iss` must be, to the letter; begins with https://.',
    }),
    audience: t.string({ required: true, description: 'What `aud` must be or contain.' }),
    algorithms: t.field({ type: [JwksAlgorithmEnum], description: 'How it may sign; RS256 when absent.' }),
    claims: t.field({ type: ClaimMapInput, description: 'Where it says what.' }),
  }),
});

const CreateIssuerInput = builder.inputType('CreateIssuerInput', {
  description: 'An issuer to be.',
  fields: (t) => ({
    kind: t.field({ type: IssuerKindEnum, required: true, description: 'How its credentials are read.' }),
    name: t.string({ description: 'What people call it; the kind when absent.' }),
    key: t.field({ type: IssuerKeyInput, description: 'What it signs with: needed of all kinds but JWKS.' }),
    account: t.string({ description: 'TWILIO: the account SID, which `sub` must be. Needed.' }),
    service: t.string({ description: 'TWILIO: the Sync service SID that grants must name; absent: any.' }),
    provider: t.field({ type: ProviderInput, description: 'JWKS: the provider. Needed.' }),
  }),
});

const issuerArg = builder.args((t) => ({
  issuer: t.id({ required: true, description: 'The issuer’s id.' }),
}));

builder.mutationFields((t) => ({
  createIssuer: t.field({
    type: IssuerRef,
    description:
      'Accepts credentials that somebody else signs. A project has one issuer of the kind STREAM, and one for each provider. For API keys. Throws BAD_USER_INPUT, CONFLICT, LIMIT_EXCEEDED, FORBIDDEN.',
    args: { input: t.arg({ type: CreateIssuerInput, required: true, description: 'What it shall be.' }) },
    resolve: (_, { input }, { caller, domain }) =>
      domain.issuers.create(caller, {
        kind: input.kind,
        name: nullToUndefined(input.name),
        key: nullToUndefined(input.key),
        account: nullToUndefined(input.account),
        service: nullToUndefined(input.service),
        provider: input.provider
          ? {
              ...input.provider,
              algorithms: nullToUndefined(input.provider.algorithms),
              claims: input.provider.claims
                ? {
                    identity: nullToUndefined(input.provider.claims.identity),
                    role: nullToUndefined(input.provider.claims.role),
                    grants: nullToUndefined(input.provider.claims.grants),
                    connectionData: nullToUndefined(input.provider.claims.connectionData),
                  }
                : undefined,
            }
          : undefined,
      }),
  }),
  removeIssuer: t.field({
    type: IssuerRef,
    description:
      'Accepts what it signs no longer, and ends the live connections that it let in, at once (close code 4403). Its tokens stay as records. For API keys. Throws NOT_FOUND.',
    args: { ...issuerArg },
    resolve: (_, { issuer }, { caller, domain }) => domain.issuers.remove(caller, issuer),
  }),
  addIssuerKey: t.field({
    type: IssuerRef,
    description: `Another key of the same issuer, so that keys can be changed one after the other; at most ${MAX_KEYS_PER_ISSUER}. The same identity has the same token under all of them. For API keys. Throws NOT_FOUND, CONFLICT, BAD_USER_INPUT, LIMIT_EXCEEDED.`,
    args: {
      ...issuerArg,
      key: t.arg({ type: IssuerKeyInput, required: true, description: 'The key.' }),
    },
    resolve: (_, { issuer, key }, { caller, domain }) => domain.issuers.addKey(caller, issuer, key),
  }),
  removeIssuerKey: t.field({
    type: IssuerRef,
    description:
      'Takes a key from an issuer, and ends the live connections that came with it when the overlap ends. For API keys. Throws NOT_FOUND, BAD_USER_INPUT.',
    args: {
      ...issuerArg,
      key: t.arg.id({ required: true, description: 'The key’s id.' }),
      overlapSeconds: t.arg.int({
        required: true,
        defaultValue: 0,
        description: `For how long it goes on verifying, in seconds: 0–${MAX_KEY_OVERLAP_SECONDS}; at once by default.`,
      }),
    },
    resolve: (_, { issuer, key, overlapSeconds }, { caller, domain }) =>
      domain.issuers.removeKey(caller, issuer, key, overlapSeconds),
  }),
}));
