import {
  type ApiKeyFragment,
  type ApiKeyScope,
  CreateApiKeyDocument,
  type CreateApiKeyMutation,
  GetProjectDocument,
  ListApiKeysDocument,
  type ProjectFragment,
  type ProjectSettingsInput,
  RevokeApiKeyDocument,
  RotateApiKeyDocument,
  UpdateProjectDocument,
} from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { listPages, PAGE_SIZE } from './pages.ts';
import { type Request } from './transport/request.ts';

/** The project of the API key, with its settings. */
export type Project = ProjectFragment;

/** An API key without its secret. */
export type ApiKey = ApiKeyFragment;

/** A new API key. Keep `secret` now: it is returned only once. */
export type ApiKeyWithSecret = CreateApiKeyMutation['createApiKey'];

/** The properties of a new API key; see `create`. */
export interface NewApiKey {
  name?: string | undefined;
  canSign?: boolean | undefined;
  scopes?: readonly ApiKeyScope[] | undefined;
  channels?: string | undefined;
  expiresAt?: Date | string | undefined;
  project?: string | undefined;
}

/** The calls of `signalbox.project`. */
export function createProject(request: Request) {
  return {
    /** Reads the project of the API key. */
    async get(options?: CallOptions): Promise<Project> {
      return (await request(GetProjectDocument, {}, 'repeatable', options)).project;
    },

    /**
     * Changes settings; absent ones stay unchanged. Applies to live connections before it resolves.
     * @throws SignalboxError BAD_USER_INPUT, CONFLICT
     */
    async update(settings: ProjectSettingsInput, options?: CallOptions): Promise<Project> {
      return (await request(UpdateProjectDocument, { settings }, 'once', options)).updateProject;
    },
  };
}

/** The calls of `signalbox.apiKeys`. */
export function createApiKeys(request: Request) {
  return {
    /** Yields the API keys of the project, without their secrets; reads 100 at a time. */
    list(options?: CallOptions): AsyncGenerator<ApiKey, void, undefined> {
      return listPages(async (after) => {
        const variables = { first: PAGE_SIZE, after };
        return (await request(ListApiKeysDocument, variables, 'repeatable', options)).project.apiKeys;
      });
    },

    /**
     * Creates an API key. Not repeated when the answer is lost, because that could leave a second key.
     * @param input `canSign`: whether credentials that `sign` made with the key are accepted. Default: false. `scopes`: what the key may
     * do. Default: everything. `channels`: a pattern that limits the scopes READ, PUBLISH, CHANNELS and MODERATE.
     * `expiresAt`: when the key and its successors expire. Default: never. `project`: for the operator.
     * @throws SignalboxError FORBIDDEN, NOT_FOUND, BAD_USER_INPUT
     */
    async create(
      { scopes, expiresAt, ...input }: NewApiKey = {},
      options?: CallOptions,
    ): Promise<ApiKeyWithSecret> {
      const variables = {
        ...input,
        scopes: scopes && [...scopes],
        expiresAt: expiresAt && new Date(expiresAt).toISOString(),
      };
      return (await request(CreateApiKeyDocument, variables, 'once', options)).createApiKey;
    },

    /**
     * Creates the successor of a key. Both work until the overlap ends.
     * @param options `overlapSeconds`: how long the old key still works, 0–2,592,000. Default: 86,400.
     * @throws SignalboxError NOT_FOUND, CONFLICT, BAD_USER_INPUT, FORBIDDEN
     */
    async rotate(
      id: string,
      { overlapSeconds = 86_400, ...options }: CallOptions & { overlapSeconds?: number | undefined } = {},
    ): Promise<ApiKeyWithSecret> {
      return (await request(RotateApiKeyDocument, { id, overlapSeconds }, 'once', options)).rotateApiKey;
    },

    /**
     * Revokes a key and closes its connections before the call resolves.
     * @throws SignalboxError NOT_FOUND, FORBIDDEN
     */
    async revoke(id: string, options?: CallOptions): Promise<ApiKey> {
      return (await request(RevokeApiKeyDocument, { id }, 'repeatable', options)).revokeApiKey;
    },
  };
}
