import { type Revocation } from '../tokens/revocation.ts';
import { builder, nullToUndefined } from './builder.ts';
import { RevocationScopeEnum } from './enums.ts';
import { relayConnection, forwardArgs, toRelayConnection, toPageRequest } from './paging.ts';

const RevocationRef = builder.objectRef<Revocation>('Revocation').implement({
  description:
    'Credentials that were issued too long ago open nothing; those that do not say when count as old.',
  fields: (t) => ({
    scope: t.expose('scope', { type: RevocationScopeEnum, description: 'What it is about.' }),
    identity: t.string({
      nullable: true,
      description: 'The identity that it is about, if it is about one.',
      resolve: ({ scope, subject }) => (scope === 'IDENTITY' ? subject : null),
    }),
    issuer: t.id({
      nullable: true,
      description: 'The issuer or API key that it is about, if it is about one; see `Token.issuer`.',
      resolve: ({ scope, subject }) => (scope === 'ISSUER' ? subject : null),
    }),
    issuedBefore: t.expose('issuedBefore', {
      type: 'DateTime',
      description: 'What was issued before opens nothing.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});

const RevocationConnection = relayConnection('Revocation', RevocationRef);

const RevocationPayload = builder
  .objectRef<{ revocation: Revocation; connections: number }>('RevocationPayload')
  .implement({
    description: 'A revocation and what it ended.',
    fields: (t) => ({
      revocation: t.expose('revocation', { type: RevocationRef, description: 'The revocation.' }),
      connections: t.exposeInt('connections', { description: 'How many live connections it ended.' }),
    }),
  });

const targetArgs = builder.args((t) => ({
  identity: t.string({ description: 'Those of this identity. Name exactly one of the three.' }),
  issuer: t.id({
    description:
      'Those that this issuer or API key signed or had minted, its predecessors and successors in rotation included; `development` for unsigned ones.',
  }),
  all: t.boolean({ description: 'Those of the whole project.' }),
}));

builder.queryFields((t) => ({
  revocations: t.field({
    type: RevocationConnection,
    description:
      'What was revoked by the many and not restored. For API keys. Throws UNAUTHENTICATED, FORBIDDEN.',
    args: { ...forwardArgs },
    async resolve(_, args, { caller, domain }) {
      const page = toPageRequest(args);
      const found = await domain.revocations.list(caller, page);
      return toRelayConnection(found, page, ({ scope, subject }) => `${scope}:${subject}`);
    },
  }),
}));

builder.mutationFields((t) => ({
  revokeTokens: t.field({
    type: RevocationPayload,
    description:
      'Ends every token of an identity, an issuer or the project whose credential was issued before a moment, and its live connections, at once (close code 4403). Credentials that do not say when they were issued count as old. Can be undone: `restoreTokens`; an earlier moment takes nothing back. For API keys. Throws BAD_USER_INPUT, NOT_FOUND for an issuer.',
    args: {
      ...targetArgs,
      issuedBefore: t.arg({
        type: 'DateTime',
        description: 'The moment: now, when absent. Not in the future.',
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
      'Undoes `revokeTokens`: credentials that have not expired open again what they did. Returns what is undone, null when there was nothing. For API keys. Throws BAD_USER_INPUT.',
    args: { ...targetArgs },
    resolve: (_, { identity, issuer, all }, { caller, domain }) =>
      domain.revocations.restore(caller, {
        identity: nullToUndefined(identity),
        issuer: nullToUndefined(issuer),
        all: nullToUndefined(all),
      }),
  }),
}));
