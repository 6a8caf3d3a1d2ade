import { type ApiKeyWithSecret } from '../projects/api-keys.ts';
import { type Project } from '../projects/project.ts';
import { requireApiKey, requireOperator } from '../tokens/caller.ts';
import { MAX_SIGNING_OVERLAP_SECONDS } from '../tokens/signing-keys.ts';
import { describeName } from '../names.ts';
import { ApiKeyConnection, ApiKeyRef, requireKeyOf } from './api-key.ts';
import { audit } from './audit.ts';
import { builder, nullIfAFieldFails, nullToUndefined } from './builder.ts';
import { relayConnection, forwardArgs, readRelayConnection, toPageRequest } from './paging.ts';

export const ProjectRef = builder.objectRef<Project>('Project').implement({
  description:
    'A tenant. API keys, tokens, channels and messages of a project are isolated from other projects.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: `${describeName('project')}. A new installation has one project, \`default\`.`,
    }),
    name: t.exposeString('name', { description: 'The display name.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    apiKeys: t.field({
      type: ApiKeyConnection,
      description:
        'The API keys of the project, without their secrets. For API keys of the project and for the operator.',
      args: { ...forwardArgs },
      async resolve(project, args, { caller, domain }) {
        requireKeyOf(caller, project.id);
        return readRelayConnection(
          toPageRequest(args),
          (page) => domain.apiKeys.list(project.id, page),
          ({ id }) => id,
        );
      },
    }),
  }),
});

const ProjectConnection = relayConnection('Project', ProjectRef);

const ProjectPayload = builder
  .objectRef<{ project: Project; created: ApiKeyWithSecret }>('ProjectPayload')
  .implement({
    description: 'A project with its first API key.',
    fields: (t) => ({
      project: t.expose('project', {
        type: ProjectRef,
        nullable: true,
        description: `The project. ${nullIfAFieldFails('secret')}`,
      }),
      apiKey: t.field({
        type: ApiKeyRef,
        nullable: true,
        description: 'The first key of the project.',
        resolve: ({ created }) => created.apiKey,
      }),
      secret: t.string({
        description: 'The secret of the key. Returned only once.',
        resolve: ({ created }) => created.secret,
      }),
    }),
  });

const CreateProjectInput = builder.inputType('CreateProjectInput', {
  description: 'Input of createProject; all fields are optional.',
  fields: (t) => ({
    id: t.id({ description: `${describeName('project')}; generated when absent.` }),
    name: t.string({ description: 'The display name: at most 1,000 characters; the id when absent.' }),
  }),
});

builder.queryFields((t) => ({
  project: t.field({
    type: ProjectRef,
    description: 'The project of the calling API key. Throws UNAUTHENTICATED, FORBIDDEN.',
    resolve(_, __, { caller, domain }) {
      requireApiKey(caller, 'READ');
      return domain.projects.get(caller.projectId);
    },
  }),
  projects: t.field({
    type: ProjectConnection,
    description:
      'All projects, sorted by id. For the API key of the operator. Throws UNAUTHENTICATED, FORBIDDEN.',
    args: { ...forwardArgs },
    async resolve(_, args, { caller, domain }) {
      requireOperator(caller);
      return readRelayConnection(
        toPageRequest(args),
        (page) => domain.projects.list(page),
        ({ id }) => id,
      );
    },
  }),
}));

builder.mutationFields((t) => ({
  createProject: t.field({
    type: ProjectPayload,
    description:
      'Creates a project and its first API key. For the API key of the operator. Throws CONFLICT, BAD_USER_INPUT, UNAUTHENTICATED, FORBIDDEN.',
    args: { input: t.arg({ type: CreateProjectInput, description: 'The properties of the project.' }) },
    async resolve(_, { input }, { caller, domain }) {
      requireOperator(caller);
      const project = await domain.projects.create({
        id: nullToUndefined(input?.id),
        name: nullToUndefined(input?.name),
      });
      audit({ caller, domain }, 'project.create', project.id);
      return { project, created: await domain.apiKeys.create(project.id, { name: 'first', canSign: true }) };
    },
  }),
  resealSecrets: t.field({
    type: 'Int',
    description:
      'Seals every stored secret again under the first key of `SIGNALBOX_MASTER_KEY`, and returns how many were sealed under another key. Afterwards the other master keys, and `master.key` in the data folder, can be removed; backups from before still need them. For the API key of the operator. Throws UNAUTHENTICATED, FORBIDDEN, and UNAVAILABLE when a secret cannot be opened.',
    async resolve(_, __, { caller, domain }) {
      requireOperator(caller);
      const count = await domain.resealSecrets();
      audit({ caller, domain }, 'secrets.reseal');
      return count;
    },
  }),
  rotateSigningKey: t.field({
    type: 'Boolean',
    description:
      'Creates a new key for signing credentials, and returns true. Credentials signed before stay valid until the overlap ends. For the API key of the operator. Throws UNAUTHENTICATED, FORBIDDEN, BAD_USER_INPUT.',
    args: {
      overlapSeconds: t.arg.int({
        required: true,
        description: `How long credentials signed before stay valid, in seconds: 0–${MAX_SIGNING_OVERLAP_SECONDS}.`,
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
