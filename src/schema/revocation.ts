import { type Revocation } from '../tokens/revocation.ts';
import { builder, nullToUndefined } from './builder.ts';
import { RevocationScopeEnum } from './enums.ts';
import { relayConnection, forwardArgs, readRelayConnection, toPageRequest } from './paging.ts';

const RevocationRef = builder.objectRef<Revocation>('Revocation').implement({
  description:
    'A revocation of many tokens: credentials that were issued before a moment, or that state no time of issue, are refused.',
  fields: (t) => ({
    scope: t.expose('scope', {
      type: RevocationScopeEnum,
      description: 'Which tokens the revocation applies to.',
    }),
    identity: t.string({
      nullable: true,
      description: 'The identity, if the scope is IDENTITY.',
      resolve: ({ scope, subject }) => (scope === 'IDENTITY' ? subject : null),
    }),
    issuer: t.id({
      nullable: true,
      description: 'The id of the issuer or API key, if the scope is ISSUER; see `Token.issuer`.',
      resolve: ({ scope, subject }) => (scope === 'ISSUER' ? subject : null),
    }),
    issuedBefore: t.expose('issuedBefore', {
      type: 'DateTime',
      description: 'Credentials that were issued before this moment are refused.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the revocation was made.' }),
  }),
});

const RevocationConnection = relayConnection('Revocation', RevocationRef);

const RevocationPayload = builder
  .objectRef<{ revocation: Revocation; connections: number }>('RevocationPayload')
  .implement({
    description: 'A revocation and the number of connections that it closed.',
    fields: (t) => ({
      revocation: t.expose('revocation', { type: RevocationRef, description: 'The revocation.' }),
      connections: t.exposeInt('connections', {
        description: 'The number of live connections that were closed.',
      }),
    }),
  });

const targetArgs = builder.args((t) => ({
  identity: t.string({
    description: 'The credentials of this identity. Pass exactly one of `identity`, `issuer` and `all`.',
  }),
  issuer: t.id({
    description:
      'The credentials of this issuer, or of the tokens that this API key created or signed, including all keys that were rotated from the same first key; `development` for unsigned credentials.',
  }),
  all: t.boolean({ description: 'All tokens of the project.' }),
}));

builder.queryFields((t) => ({
  revocations: t.field({
    type: RevocationConnection,
    description:
      'The revocations that `revokeTokens` made and `restoreTokens` did not undo. For API keys. Throws UNAUTHENTICATED, FORBIDDEN.',
    args: { ...forwardArgs },
    async resolve(_, args, { caller, domain }) {
      return readRelayConnection(
        toPageRequest(args),
        (page) => domain.revocations.list(caller, page),
        ({ scope, subject }) => `${scope}:${subject}`,
      );
    },
  }),
}));

builder.mutationFields((t) => ({
  revokeTokens: t.field({
    type: RevocationPayload,
    description:
      'Revokes all credentials of an identity, an issuer or the project that were issued before a moment, and closes their live connections at once (close code 4403). Credentials without a time of issue count as old. `restoreTokens` undoes it; a second call with an earlier moment changes nothing. For API keys. Throws BAD_USER_INPUT, NOT_FOUND for an issuer, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      ...targetArgs,
      issuedBefore: t.arg({
        type: 'DateTime',
        description: 'The moment; now when absent. It must not be in the future.',
      }),
    },
    resolve: (_, { identity, issuer, all, issuedBefore }, { caller, domain }) =>
      domain.revocations.revoke(
        caller,
        { identity: nullToUndefined(identity), issuer: nullToUndefined(issuer), all: nullToUndefined(all) },
        nullToUndefined(issuedBefore),
      ),
  }),
  restoreTokens: t.field({
    type: RevocationRef,
    nullable: true,
    description:
      'Undoes `revokeTokens`: credentials that have not expired are accepted again. Returns the undone revocation, or null if there was none. For API keys. Throws BAD_USER_INPUT, UNAUTHENTICATED, FORBIDDEN.',
    args: { ...targetArgs },
    resolve: (_, { identity, issuer, all }, { caller, domain }) =>
      domain.revocations.restore(caller, {
        identity: nullToUndefined(identity),
        issuer: nullToUndefined(issuer),
        all: nullToUndefined(all),
      }),
  }),
}));
