import { type ApiKeys } from '../../projects/api-keys.ts';
import { refused } from '../credential-errors.ts';
import { hasAudience } from './audience.ts';
import { type CredentialKind } from './classify-credential.ts';
import { type IssuerKeys } from './issuer-keys.ts';
import { type createIssuerStore } from './issuer-store.ts';
import { type Issuer, type IssuerKey } from './issuer.ts';

/** An issuer and the keys that a credential may be signed with. JWKS issuers have no keys here: the keys are fetched. */
export interface Signer {
  issuer: Issuer;
  keys: IssuerKey[];
}

/** See Issuers.find. */
export function createFindSigner({
  rows,
  issuerKeys,
  apiKeys,
}: {
  rows: Pick<ReturnType<typeof createIssuerStore>, 'list'>;
  issuerKeys: IssuerKeys;
  apiKeys: ApiKeys;
}): (projectId: string, kinds: readonly CredentialKind[]) => Promise<Signer | undefined> {
  async function findSigner(projectId: string, credential: CredentialKind): Promise<Signer | undefined> {
    if (credential.kind === 'MINTED' || credential.kind === 'DEVELOPMENT') return undefined;
    if (credential.kind === 'UNUSABLE') throw refused(credential.reason, 'MALFORMED');
    if (credential.kind === 'STREAM') return findStreamSigner(projectId, credential.names);
    if (credential.kind === 'SIGNALBOX' && credential.keyId.startsWith('key_'))
      return findApiKeySigner(projectId, credential.keyId);
    if (credential.kind === 'JWKS') return findProvider(projectId, credential);
    for (const issuer of await rows.list(projectId, credential.kind)) {
      const keys = (await issuerKeys.activeOf(issuer)).filter(({ id }) => id === credential.keyId);
      if (keys.length > 0)
        return { issuer, keys: await Promise.all(keys.map((key) => issuerKeys.unseal(key))) };
    }
    return undefined;
  }

  /** Of several issuers for one provider, the one whose audience the credential names. */
  async function findProvider(
    projectId: string,
    { issuer: iss, payload }: Extract<CredentialKind, { kind: 'JWKS' }>,
  ): Promise<Signer | undefined> {
    const all = await rows.list(projectId, 'JWKS');
    const named = all.filter(({ provider }) => provider?.issuer === iss);
    const issuer = named.find(({ provider }) => provider && hasAudience(provider, payload)) ?? named[0];
    if (!issuer && all.some(({ provider }) => provider && isSimilarName(provider.issuer, iss)))
      throw refused(SIMILAR_NAME_REASON, 'UNKNOWN_ISSUER');
    return issuer && { issuer, keys: [] };
  }

  async function findApiKeySigner(projectId: string, keyId: string): Promise<Signer | undefined> {
    const found = await apiKeys.findSigning(keyId);
    if (found?.apiKey.projectId !== projectId) return undefined;
    const { id, rootKeyId, name, createdAt, expiresAt } = found.apiKey;
    const issuer = {
      id: rootKeyId,
      projectId,
      name,
      createdAt,
      account: null,
      service: null,
      provider: null,
    };
    return { issuer: { ...issuer, kind: 'SIGNALBOX' }, keys: [{ id, key: found.key, expiresAt }] };
  }

  /** Undefined when one of `names` is the name of another issuer or of its key: the credential is not Stream's then. */
  async function findStreamSigner(projectId: string, names: readonly string[]): Promise<Signer | undefined> {
    const all = names.length === 0 ? await rows.list(projectId, 'STREAM') : await rows.list(projectId);
    const stream = all.find(({ kind }) => kind === 'STREAM');
    if (!stream) return undefined;
    for (const { id, provider } of all.filter((issuer) => issuer !== stream)) {
      const keys = names.length === 0 ? [] : await issuerKeys.activeOf({ id });
      const taken = [id, provider?.issuer, ...keys.map((key) => key.id)];
      if (names.some((name) => taken.includes(name))) return undefined;
    }
    const keys = await issuerKeys.activeOf(stream);
    const named = keys.filter(({ id }) => names.includes(id));
    return {
      issuer: stream,
      keys: await Promise.all((named.length > 0 ? named : keys).map((key) => issuerKeys.unseal(key))),
    };
  }

  return async (projectId, kinds) => {
    for (const kind of kinds) {
      const signer = await findSigner(projectId, kind);
      if (signer) return signer;
    }
    return undefined;
  };
}

/** Whether two names of providers differ only in how a person may have spelled them. */
function isSimilarName(one: string, other: string): boolean {
  const simplify = (name: string) =>
    name
      .toLowerCase()
      .replace(/^https?:\/\//, '')
      .replace(/\/+$/, '');
  return simplify(one) === simplify(other);
}

const SIMILAR_NAME_REASON =
  'no issuer of this project signed it, but one has a similar name; provider.issuer must equal “iss” exactly, with the same https:// and the same slash at the end';
