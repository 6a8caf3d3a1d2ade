import { type ApiKey } from '../projects/api-key.ts';
import { MAX_OVERLAP_SECONDS, type MintedApiKey } from '../projects/api-keys.ts';
import { type Project } from '../projects/project.ts';
import { actorOf, requireApiKey, requireOperator, type Caller } from '../tokens/caller.ts';
import { MAX_SIGNING_OVERLAP_SECONDS } from '../tokens/signing-keys.ts';
import { describeName } from '../names.ts';
import { builder, nullToUndefined } from './builder.ts';
import { type Context } from './context.ts';
import { relayConnection, forwardArgs, toRelayConnection, toPageRequest } from './paging.ts';

export const ApiKeyRef = builder.objectRef<ApiKey>('ApiKey').implement({
  description:
    'A backend’s credential: everything inside its project. Its secret is shown once, when it is made.',
  fields: (t) => ({
    id: t.exposeID('id', { description: '`key_…`; the part of the secret before the dot.' }),
    name: t.exposeString('name', { description: 'What it is for.' }),
    isOperator: t.exposeBoolean('operator', {
      description: 'Whether it may also make projects and rotate signing keys.',
    }),
    canSign: t.exposeBoolean('canSign', {
      description: 'Whether credentials that are signed with its secret are accepted.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it stops working; null: never. Set by rotation.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null: it was not.',
    }),
  }),
});

const ApiKeyConnection = relayConnection('ApiKey', ApiKeyRef);

export const ProjectRef = builder.objectRef<Project>('Project').implement({
  description: 'A tenant: a wall around its API keys, tokens, channels and messages.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: `${describeName('project')}. A fresh installation has one, \`default\`.`,
    }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    apiKeys: t.field({
      type: ApiKeyConnection,
      description: 'Its API keys, never their secrets. For API keys of the project and for the operator.',
      args: { ...forwardArgs },
      async resolve(project, args, { caller, domain }) {
        requireKeyOf(caller, project.id);
        const page = toPageRequest(args);
        return toRelayConnection(await domain.apiKeys.list(project.id, page), page, ({ id }) => id);
      },
    }),
  }),
});

const ProjectConnection = relayConnection('Project', ProjectRef);

const ApiKeyPayload = builder.objectRef<MintedApiKey>('ApiKeyPayload').implement({
  description: 'An API key with its secret.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', { type: ApiKeyRef, description: 'The key.' }),
    secret: t.exposeString('secret', {
      description: '`key_<id>.<secret>`, for the Authorization header. Shown this once.',
    }),
  }),
});

const ProjectPayload = builder
  .objectRef<{ project: Project; minted: MintedApiKey }>('ProjectPayload')
  .implement({
    description: 'A project with its first API key.',
    fields: (t) => ({
      project: t.expose('project', { type: ProjectRef, description: 'The project.' }),
      apiKey: t.field({
        type: ApiKeyRef,
        description: 'Its first key.',
        resolve: ({ minted }) => minted.apiKey,
      }),
      secret: t.string({
        description: 'The key’s secret. Shown this once.',
        resolve: ({ minted }) => minted.secret,
      }),
    }),
  });

const CreateProjectInput = builder.inputType('CreateProjectInput', {
  description: 'A project to be.',
  fields: (t) => ({
    id: t.id({ description: `${describeName('project')}; one is made up when absent.` }),
    name: t.string({ description: 'At most 1,000 characters; the id when absent.' }),
  }),
});

builder.queryFields((t) => ({
  project: t.field({
    type: ProjectRef,
    description: 'The project of the calling API key. Throws UNAUTHENTICATED, FORBIDDEN.',
    resolve(_, __, { caller, domain }) {
      requireApiKey(caller);
      return domain.projects.get(caller.projectId);
    },
  }),
  projects: t.field({
    type: ProjectConnection,
    description: 'All projects, for the operator’s API key. Throws UNAUTHENTICATED, FORBIDDEN.',
    args: { ...forwardArgs },
    async resolve(_, args, { caller, domain }) {
      requireOperator(caller);
      const page = toPageRequest(args);
      return toRelayConnection(await domain.projects.list(page), page, ({ id }) => id);
    },
  }),
}));

builder.mutationFields((t) => ({
  createProject: t.field({
    type: ProjectPayload,
    description:
      'Makes a project and its first API key. For the operator’s API key. Throws CONFLICT, BAD_USER_INPUT, FORBIDDEN.',
    args: { input: t.arg({ type: CreateProjectInput, description: 'What it shall be.' }) },
    async resolve(_, { input }, { caller, domain }) {
      requireOperator(caller);
      const project = await domain.projects.create({
        id: nullToUndefined(input?.id),
        name: nullToUndefined(input?.name),
      });
      audit({ caller, domain }, 'project.create', project.id);
      return { project, minted: await domain.apiKeys.create(project.id, { name: 'first', canSign: true }) };
    },
  }),
  createApiKey: t.field({
    type: ApiKeyPayload,
    description:
      'Makes another API key of the project. For API keys of the project and for the operator. Throws FORBIDDEN, NOT_FOUND.',
    args: {
      name: t.arg.string({ description: 'What it is for; at most 1,000 characters.' }),
      canSign: t.arg.boolean({
        description:
          'Whether credentials that are signed with its secret are accepted: JWTs as of an issuer of the kind SIGNALBOX, HMAC with the whole text `key_<id>.<secret>` as the secret, `kid` or `iss` its id. Its secret is then kept, encrypted. False by default; the first key of a project can.',
      }),
      project: t.arg.id({
        description: 'For the operator: the project it shall be for; the caller’s own when absent.',
      }),
    },
    async resolve(_, args, { caller, domain }) {
      const project = await domain.projects.get(requireKeyOf(caller, nullToUndefined(args.project)));
      const minted = await domain.apiKeys.create(project.id, {
        name: nullToUndefined(args.name),
        canSign: nullToUndefined(args.canSign),
      });
      audit({ caller, domain }, 'key.create', minted.apiKey.id);
      return minted;
    },
  }),
  rotateApiKey: t.field({
    type: ApiKeyPayload,
    description:
      'Makes a successor of an API key of the caller’s project; both work until the overlap ends. An operator’s key: by an operator’s key only. Throws NOT_FOUND, CONFLICT when the key has ended, BAD_USER_INPUT, FORBIDDEN.',
    args: {
      id: t.arg.id({ required: true, description: 'The key to be replaced.' }),
      overlapSeconds: t.arg.int({
        required: true,
        defaultValue: 86_400,
        description: `For how long the old key goes on working, in seconds: 0–${MAX_OVERLAP_SECONDS}, a day by default.`,
      }),
    },
    async resolve(_, { id, overlapSeconds }, { caller, domain }) {
      await requireRankOf(id, { caller, domain });
      const minted = await domain.apiKeys.rotate(caller.projectId, id, overlapSeconds);
      audit({ caller, domain }, 'key.rotate', id);
      return minted;
    },
  }),
  revokeApiKey: t.field({
    type: ApiKeyRef,
    description:
      'Ends an API key of the caller’s project, and the live connections that it opened, at once. An operator’s key: by an operator’s key only. Throws NOT_FOUND, FORBIDDEN.',
    args: { id: t.arg.id({ required: true, description: 'The key to end.' }) },
    async resolve(_, { id }, { caller, domain }) {
      await requireRankOf(id, { caller, domain });
      const apiKey = await domain.apiKeys.revoke(caller.projectId, id);
      audit({ caller, domain }, 'key.revoke', id);
      return apiKey;
    },
  }),
  rotateSigningKey: t.field({
    type: 'Boolean',
    description:
      'Signs credentials with a new key from now on; those signed before verify until the overlap ends. For the operator’s API key. Throws FORBIDDEN, BAD_USER_INPUT.',
    args: {
      overlapSeconds: t.arg.int({
        required: true,
        description: `For how long credentials signed before go on working, in seconds: 0–${MAX_SIGNING_OVERLAP_SECONDS}.`,
      }),
    },
    async resolve(_, { overlapSeconds }, { caller, domain }) {
      requireOperator(caller);
      await domain.signingKeys.rotate(overlapSeconds);
      audit({ caller, domain }, 'signing-key.rotate');
      return true;
    },
  }),
}));

/** The project that the caller may manage the keys of. */
function requireKeyOf(caller: Caller, projectId: string | undefined): string {
  requireApiKey(caller);
  if (projectId === undefined || projectId === caller.projectId) return caller.projectId;
  requireOperator(caller);
  return projectId;
}

/** Whoever could replace an operator’s key would be the operator. */
async function requireRankOf(
  id: string,
  { caller, domain }: Pick<Context, 'caller' | 'domain'>,
): Promise<void> {
  requireApiKey(caller);
  const key = await domain.apiKeys.findOpen(id);
  if (key?.operator && key.projectId === caller.projectId) requireOperator(caller);
}

function audit(
  { caller, domain }: Pick<Context, 'caller' | 'domain'>,
  action: Parameters<Context['domain']['audit']>[0]['action'],
  subject?: string,
): void {
  domain.audit({
    action,
    projectId: caller.projectId,
    actor: actorOf(caller),
    ...(subject !== undefined && { subject }),
  });
}
