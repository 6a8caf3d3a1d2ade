import { type ClaimMap } from '../tokens/issuers/issuer.ts';
import {
  MAX_AUDIENCES,
  MAX_ISSUER_TEXT_LENGTH,
  MAX_SECRET_BYTES,
  MIN_OWN_SECRET_BYTES,
  type KeyInput,
  type ProviderInput,
} from '../tokens/issuers/issuer-input.ts';
import { builder, nullToUndefined } from './builder.ts';
import { IssuerKindEnum, JwksAlgorithmEnum } from './enums.ts';

export const IssuerKeyInput = builder.inputType('IssuerKeyInput', {
  description: 'A key that an issuer signs credentials with.',
  fields: (t) => ({
    id: t.id({
      required: true,
      description: `The id that the issuer uses for the key. TWILIO: the SID; OPENTOK and STREAM: the API key; SIGNALBOX: the value of \`kid\` or \`iss\`. 1–${MAX_ISSUER_TEXT_LENGTH} characters.`,
    }),
    secret: t.string({
      description: `The secret of the key, required unless publicKey is given: at most ${MAX_SECRET_BYTES} bytes, for SIGNALBOX at least ${MIN_OWN_SECRET_BYTES}. Stored encrypted and never returned.`,
    }),
    publicKey: t.string({
      description:
        'OPENTOK: instead of a secret, the RSA public key of a Vonage application as PEM; the id is the application id. Its tokens are signed with RS256.',
    }),
  }),
});

const ClaimMapInput = builder.inputType('ClaimMapInput', {
  description:
    'Which claims of a provider hold the rights of a token. Each value is the name of a claim or a JSON pointer such as `/realm_access/role`.',
  fields: (t) => ({
    identity: t.string({ description: 'The claim that holds the identity; `sub` when absent.' }),
    audience: t.string({
      description:
        'The claim that names the audience; `aud` when absent. Access tokens of Cognito have `client_id`, those of Clerk `azp`. The claim `scope` is a list that is separated by spaces.',
    }),
    role: t.string({
      description:
        'The claim that holds the role: a name, or a list of which the first entry that is a role of the project applies. An object of objects, as in tokens of ZITADEL, is the list of its keys. If the field is absent, or no entry of the list is a role of the project, the role of the token applies: PUBLISHER until `updateToken` changes it.',
    }),
    grants: t.string({
      description:
        'The claim that holds the grants: a list of `{ channels, actions, exp }` with an optional `exp` in seconds since 1970. Absent: the role is not narrowed.',
    }),
    connectionData: t.string({ description: 'The claim that holds the connection data. Absent: none.' }),
  }),
});

const ProviderInputRef = builder.inputType('ProviderInput', {
  description: 'An OpenID provider.',
  fields: (t) => ({
    url: t.string({ required: true, description: 'The https URL of its JSON Web Key Set.' }),
    issuer: t.string({
      required: true,
      description:
        'The exact value of the claim `iss`: for most providers a URL, with or without a slash at its end.',
    }),
    audience: t.string({
      description:
        'The value that the audience claim must equal or contain. Exactly one of `audience` and `audiences` is required.',
    }),
    audiences: t.stringList({
      description: `The audiences that credentials may be for, such as the client ids of a web page and an app; at most ${MAX_AUDIENCES}. The claim must name one of them, alone or in a list.`,
    }),
    algorithms: t.field({
      type: [JwksAlgorithmEnum],
      description: 'The algorithms that it may sign with; RS256 when absent.',
    }),
    claims: t.field({
      type: ClaimMapInput,
      description: 'The claims that hold identity, role, grants and connection data.',
    }),
  }),
});

export const CreateIssuerInput = builder.inputType('CreateIssuerInput', {
  description: 'Input of createIssuer.',
  fields: (t) => ({
    kind: t.field({ type: IssuerKindEnum, required: true, description: 'The format of its credentials.' }),
    name: t.string({ description: 'The display name; the kind when absent.' }),
    key: t.field({
      type: IssuerKeyInput,
      description: 'The key that it signs with. Required for every kind except JWKS.',
    }),
    account: t.string({
      description: 'TWILIO: the account SID, which the claim `sub` must equal. Required.',
    }),
    service: t.string({
      description: 'TWILIO: the Sync service SID that the grant must name; absent: any service.',
    }),
    provider: t.field({ type: ProviderInputRef, description: 'JWKS: the provider. Required.' }),
  }),
});

const UpdateProviderInput = builder.inputType('UpdateProviderInput', {
  description: 'Changes of an OpenID provider; absent fields stay unchanged.',
  fields: (t) => ({
    url: t.string({ description: 'The https URL of its JSON Web Key Set.' }),
    audiences: t.stringList({
      description: `The audiences; the list is replaced as a whole. 1–${MAX_AUDIENCES}.`,
    }),
    algorithms: t.field({ type: [JwksAlgorithmEnum], description: 'The algorithms that it may sign with.' }),
    claims: t.field({ type: ClaimMapInput, description: 'The claims; all of them are replaced.' }),
  }),
});

export const UpdateIssuerInput = builder.inputType('UpdateIssuerInput', {
  description: 'Input of updateIssuer; absent fields stay unchanged.',
  fields: (t) => ({
    name: t.string({ description: 'The display name.' }),
    service: t.string({
      description: 'TWILIO: the Sync service SID that the grant must name; null: any service.',
    }),
    provider: t.field({ type: UpdateProviderInput, description: 'JWKS: the changes of the provider.' }),
  }),
});

type Nullable<T> = { [Name in keyof T]?: T[Name] | null | undefined };

export function readKey({
  id,
  secret,
  publicKey,
}: { id: string } & Nullable<Omit<KeyInput, 'id'>>): KeyInput {
  return { id, secret: nullToUndefined(secret), publicKey: nullToUndefined(publicKey) };
}

export function readClaimMap(
  claims: { [Name in keyof ClaimMap]?: string | null | undefined } | null | undefined,
): ProviderInput['claims'] {
  if (!claims) return undefined;
  return {
    identity: nullToUndefined(claims.identity),
    audience: nullToUndefined(claims.audience),
    role: nullToUndefined(claims.role),
    grants: nullToUndefined(claims.grants),
    connectionData: nullToUndefined(claims.connectionData),
  };
}
