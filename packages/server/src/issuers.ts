import {
  AddIssuerKeyDocument,
  CreateIssuerDocument,
  type CreateIssuerInput,
  type IssuerFragment,
  type IssuerKeyInput,
  ListIssuersDocument,
  RemoveIssuerDocument,
  RemoveIssuerKeyDocument,
  UpdateIssuerDocument,
  type UpdateIssuerInput,
} from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { type Request } from './transport/request.ts';

/** A party whose credentials the project accepts, with the ids of its keys. Secrets are never returned. */
export type Issuer = IssuerFragment;

/** The calls of `signalbox.issuers`: whose credentials the project accepts. */
export function createIssuers(request: Request) {
  return {
    /** Reads the issuers of the project, at most 50. */
    async list(options?: CallOptions): Promise<Issuer[]> {
      return (await request(ListIssuersDocument, {}, 'repeatable', options)).project.issuers;
    },

    /**
     * Accepts credentials that another party signs, such as the secret of a vendor or the keys of an OpenID provider.
     * @throws SignalboxError BAD_USER_INPUT, CONFLICT, LIMIT_EXCEEDED
     */
    async create(input: CreateIssuerInput, options?: CallOptions): Promise<Issuer> {
      return (await request(CreateIssuerDocument, { input }, 'once', options)).createIssuer;
    },

    /**
     * Changes an issuer; absent fields stay unchanged. Live connections stay.
     * @throws SignalboxError NOT_FOUND, BAD_USER_INPUT, CONFLICT
     */
    async update(issuer: string, input: UpdateIssuerInput, options?: CallOptions): Promise<Issuer> {
      return (await request(UpdateIssuerDocument, { issuer, input }, 'once', options)).updateIssuer;
    },

    /**
     * Stops accepting the credentials of an issuer and closes the connections that used them.
     * @throws SignalboxError NOT_FOUND
     */
    async remove(issuer: string, options?: CallOptions): Promise<Issuer> {
      return (await request(RemoveIssuerDocument, { issuer }, 'once', options)).removeIssuer;
    },

    /**
     * Adds a key, so that keys can be rotated: at most 20.
     * @throws SignalboxError NOT_FOUND, CONFLICT, BAD_USER_INPUT, LIMIT_EXCEEDED
     */
    async addKey(issuer: string, key: IssuerKeyInput, options?: CallOptions): Promise<Issuer> {
      return (await request(AddIssuerKeyDocument, { issuer, key }, 'once', options)).addIssuerKey;
    },

    /**
     * Removes a key.
     * @param options `overlapSeconds`: how long the key still verifies credentials, 0–2,592,000. Default: 0.
     * @throws SignalboxError NOT_FOUND, BAD_USER_INPUT
     */
    async removeKey(
      issuer: string,
      key: string,
      { overlapSeconds = 0, ...options }: CallOptions & { overlapSeconds?: number | undefined } = {},
    ): Promise<Issuer> {
      const variables = { issuer, key, overlapSeconds };
      return (await request(RemoveIssuerKeyDocument, variables, 'once', options)).removeIssuerKey;
    },
  };
}
