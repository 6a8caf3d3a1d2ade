import { CHANNEL_SCOPES, type ApiKey } from '../projects/api-key.ts';
import { MAX_OVERLAP_SECONDS, type ApiKeyWithSecret } from '../projects/api-keys.ts';
import { requireRightsFor } from '../tokens/api-key-rights.ts';
import { requireApiKey, requireOperator, type Caller } from '../tokens/caller.ts';
import { audit } from './audit.ts';
import { builder, nullIfAFieldFails, nullToUndefined } from './builder.ts';
import { type Context } from './context.ts';
import { ApiKeyScopeEnum } from './enums.ts';
import { relayConnection } from './paging.ts';

export const ApiKeyRef = builder.objectRef<ApiKey>('ApiKey').implement({
  description:
    'The credential of a backend: it allows everything within its project, or what its scopes allow. The secret is returned once, when the key is created.',
  fields: (t) => ({
    id: t.exposeID('id', { description: '`key_…`: the part of the secret before the dot.' }),
    name: t.exposeString('name', { description: 'The purpose of the key.' }),
    isOperator: t.exposeBoolean('operator', {
      description: 'Whether the key may also create projects and rotate signing keys.',
    }),
    canSign: t.exposeBoolean('canSign', {
      description:
        'Whether the service accepts credentials that are signed with the secret that is derived from the key.',
    }),
    scopes: t.field({
      type: [ApiKeyScopeEnum],
      nullable: true,
      description: 'What the key may do; null: everything within its project.',
      resolve: ({ scopes }) => scopes && [...scopes],
    }),
    channels: t.exposeString('channels', {
      nullable: true,
      description:
        'The pattern of the channels that the key is limited to, as in `Grant.channels`; null: not limited.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key expires; null: never. Set by `createApiKey` or by a rotation.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key was revoked; null: not revoked.',
    }),
  }),
});

export const ApiKeyConnection = relayConnection('ApiKey', ApiKeyRef);

const ApiKeyPayload = builder.objectRef<ApiKeyWithSecret>('ApiKeyPayload').implement({
  description: 'An API key with its secret.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', {
      type: ApiKeyRef,
      nullable: true,
      description: `The key. ${nullIfAFieldFails('secret')}`,
    }),
    secret: t.exposeString('secret', {
      description: '`key_<id>.<secret>`, for the Authorization header. Returned only once.',
    }),
  }),
});

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: ApiKeyPayload,
    description:
      'Creates an API key. For API keys of the project and for the operator. A key creates only keys that may do no more than itself. Throws UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, BAD_USER_INPUT.',
    args: {
      name: t.arg.string({ description: 'The purpose of the key; at most 1,000 characters.' }),
      canSign: t.arg.boolean({
        description:
          'Whether the service accepts credentials that are signed with the secret of the key. They are JWTs like those of an issuer of the kind SIGNALBOX: HMAC with the id of the key as `kid` or `iss`. They are not signed with the key itself but with a secret of 32 bytes that is derived from its whole text: HMAC-SHA-256 with the key `key_<id>.<secret>` over the text `signalbox credential`. The derived secret is then stored, encrypted. False by default; true for the first key of a project.',
      }),
      scopes: t.arg({
        type: [ApiKeyScopeEnum],
        description: 'What the key may do; everything within its project when absent.',
      }),
      channels: t.arg.string({
        description: `A pattern as in \`Grant.channels\`: the key acts in matching channels only, and on nothing outside a channel. Needs \`scopes\`, of ${CHANNEL_SCOPES.join(', ')}.`,
      }),
      expiresAt: t.arg({
        type: 'DateTime',
        description: 'When the key and its successors expire, in the future; never when absent.',
      }),
      project: t.arg.id({
        description: 'The id of the project; the project of the caller when absent. For the operator.',
      }),
    },
    async resolve(_, args, { caller, domain }) {
      requireApiKey(caller, 'KEYS');
      const project = await domain.projects.get(requireKeyOf(caller, nullToUndefined(args.project)));
      requireRightsFor(caller.apiKey, { scopes: args.scopes ?? null, lastsUntil: args.expiresAt ?? null });
      const created = await domain.apiKeys.create(project.id, {
        name: nullToUndefined(args.name),
        canSign: nullToUndefined(args.canSign),
        scopes: nullToUndefined(args.scopes),
        channels: nullToUndefined(args.channels),
        expiresAt: nullToUndefined(args.expiresAt),
      });
      audit({ caller, domain }, 'key.create', created.apiKey.id);
      return created;
    },
  }),
  rotateApiKey: t.field({
    type: ApiKeyPayload,
    description:
      'Creates the successor of an API key of the calling project, with the same rights. Both keys work until the overlap ends. Only the operator may rotate an operator key, and no key may rotate one that may do more than itself. Of two calls at the same moment, one creates a successor. Throws NOT_FOUND, CONFLICT when the key is revoked or expired, or another call rotates it at the same moment, BAD_USER_INPUT, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      id: t.arg.id({ required: true, description: 'The id of the key to replace.' }),
      overlapSeconds: t.arg.int({
        required: true,
        defaultValue: 86_400,
        description: `How long the old key still works, in seconds: 0–${MAX_OVERLAP_SECONDS}, one day by default.`,
      }),
    },
    async resolve(_, { id, overlapSeconds }, { caller, domain }) {
      requireApiKey(caller, 'KEYS');
      const key = await requireAuthorityOver(id, { caller, domain });
      if (key) requireRightsFor(caller.apiKey, key);
      const created = await domain.apiKeys.rotate(caller.projectId, id, overlapSeconds);
      audit({ caller, domain }, 'key.rotate', id);
      return created;
    },
  }),
  revokeApiKey: t.field({
    type: ApiKeyRef,
    description:
      'Revokes an API key of the calling project and closes its live connections at once. Only the operator may revoke an operator key. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN.',
    args: { id: t.arg.id({ required: true, description: 'The id of the key to revoke.' }) },
    async resolve(_, { id }, { caller, domain }) {
      await requireAuthorityOver(id, { caller, domain });
      const apiKey = await domain.apiKeys.revoke(caller.projectId, id);
      audit({ caller, domain }, 'key.revoke', id);
      return apiKey;
    },
  }),
}));

/**
 * The id of the project whose API keys the caller may manage.
 * @throws UNAUTHENTICATED, FORBIDDEN unless the caller has the scope KEYS and, for other projects, is the operator
 */
export function requireKeyOf(caller: Caller, projectId: string | undefined): string {
  requireApiKey(caller, 'KEYS');
  if (projectId === undefined || projectId === caller.projectId) return caller.projectId;
  requireOperator(caller);
  return projectId;
}

/**
 * Replacing an operator key would yield its rights, so only an operator key may do that.
 * @returns the key, if it is a valid key of the calling project
 */
async function requireAuthorityOver(
  id: string,
  { caller, domain }: Pick<Context, 'caller' | 'domain'>,
): Promise<ApiKey | undefined> {
  requireApiKey(caller, 'KEYS');
  const key = await domain.apiKeys.findActive(id);
  if (key?.projectId !== caller.projectId) return undefined;
  if (key.operator) requireOperator(caller);
  return key;
}
