/**
 * Authentication: verify a credential that another issuer signed, or an unsigned development
 * token, and translate its claims into rights. `provisioning.ts` then finds or creates the token
 * record of its subject.
 */
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type RateLimit } from '../rate-limit.ts';
import { type CredentialInfo } from './caller.ts';
import { refused, unauthenticated } from './credential-errors.ts';
import { parseClaimedIdentity } from './identity.ts';
import { type Claims } from './issuers/claims.ts';
import { type CredentialKind } from './issuers/classify-credential.ts';
import { readDevelopmentToken } from './issuers/development.ts';
import { type IssuerKind } from './issuers/issuer.ts';
import { type Issuers } from './issuers/issuers.ts';
import { type Providers } from './issuers/jwks.ts';
import { verifyOpentok } from './issuers/opentok.ts';
import { verifySignalbox } from './issuers/signalbox.ts';
import { verifyStream } from './issuers/stream-chat.ts';
import { verifyTwilio } from './issuers/twilio.ts';
import { type Verified, type Verify } from './issuers/verify.ts';
import { claimedExpiry } from './lifetime.ts';
import { type OlderStoreError } from './older-store.ts';
import { type Provisioning } from './provisioning.ts';
import { findRole, type RoleChoice } from './roles.ts';
import { type CredentialRights, type Token } from './token.ts';

/** The issuer id of unsigned development tokens. */
export const DEVELOPMENT_ISSUER = 'development';

/** Credentials that Signalbox did not sign. */
export interface ExternalCredentials {
  /**
   * Verifies a credential and returns the token record of its subject, which the first use of a credential
   * creates.
   * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED
   * @throws RATE_LIMITED when a project receives too many development tokens
   * @throws UNAVAILABLE when the keys of a provider cannot be fetched
   */
  authenticate(
    credential: string,
    kinds: readonly CredentialKind[],
    projectId: string,
  ): Promise<{ record: Token; credential: CredentialInfo }>;
  /**
   * Checks that the project still trusts the signer of a credential that was verified before. Returns the
   * credential with the current expiry of its key.
   * @throws UNAUTHENTICATED when the project no longer trusts the signer
   */
  recheck(credential: CredentialInfo, projectId: string): Promise<CredentialInfo>;
}

const VERIFIERS: Record<Exclude<IssuerKind, 'JWKS'>, Verify> = {
  SIGNALBOX: verifySignalbox,
  STREAM: verifyStream,
  TWILIO: verifyTwilio,
  OPENTOK: verifyOpentok,
};

export function createExternalCredentials(deps: {
  issuers: Issuers;
  providers: Providers;
  provisioning: Provisioning;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
  config: Config;
  olderStoreError: OlderStoreError;
  /** Limits development tokens per project, because anyone can make one. */
  developmentTokenRate: RateLimit;
}): ExternalCredentials {
  const {
    issuers,
    providers,
    provisioning,
    settingsOf,
    clock,
    config,
    olderStoreError,
    developmentTokenRate,
  } = deps;

  /** Backends sign with a secret of their API key, which a new store does not have either. */
  function olderStoreErrorOf(kinds: readonly CredentialKind[]): SignalboxError | undefined {
    return kinds
      .map((kind) => (kind.kind === 'SIGNALBOX' ? olderStoreError(kind.keyId) : undefined))
      .find((error) => error !== undefined);
  }

  async function verify(credential: string, kinds: readonly CredentialKind[], projectId: string) {
    const signer = await issuers.find(projectId, kinds);
    if (!signer)
      throw olderStoreErrorOf(kinds) ?? refused('no issuer of this project signed it', 'UNKNOWN_ISSUER');
    const { issuer, keys } = signer;
    const context = { now: clock.now(), maxGrants: config.maxGrantsPerToken };
    try {
      const verified: Verified = await (issuer.kind === 'JWKS'
        ? providers.verify(credential, issuer, context)
        : VERIFIERS[issuer.kind](credential, issuer, keys, context));
      return { issuer, ...verified };
    } catch (error) {
      if (error instanceof SignalboxError) error.issuer = issuer.id;
      throw error;
    }
  }

  async function authenticateDevelopment(
    kind: Extract<CredentialKind, { kind: 'DEVELOPMENT' }>,
    projectId: string,
  ) {
    const settings = await settingsOf(projectId).catch((error: unknown) => {
      // The caller is not authenticated: answer the same for a missing project as for one without development tokens.
      throw error instanceof SignalboxError && error.code === 'NOT_FOUND' ? unauthenticated() : error;
    });
    if (!settings.developmentTokens) throw unauthenticated();
    const claims = readDevelopmentToken(kind);
    parseClaimedIdentity(kind.identity, 'STREAM', settings);
    developmentTokenRate.take(projectId);
    const rights = parseRights(claims, settings, null);
    const record = await provisioning.findOrCreate(
      { projectId, issuerId: DEVELOPMENT_ISSUER, origin: 'DEVELOPMENT', createsChannels: false },
      claims,
      rights,
    );
    return { record, credential: credentialInfo(claims, DEVELOPMENT_ISSUER, null, rights) };
  }

  return {
    async authenticate(credential, kinds, projectId) {
      const development = kinds.find(({ kind }) => kind === 'DEVELOPMENT');
      if (development?.kind === 'DEVELOPMENT') return authenticateDevelopment(development, projectId);
      const { issuer, claims, key } = await verify(credential, kinds, projectId);
      const settings = await settingsOf(projectId);
      if (claims.identity !== null) parseClaimedIdentity(claims.identity, issuer.kind, settings);
      const expiresAt = claimedExpiry(claims, settings, clock.now());
      const rights = parseRights(claims, settings, expiresAt);
      const record = await provisioning.findOrCreate(
        {
          projectId,
          issuerId: issuer.id,
          origin: 'SELF_MINTED',
          // The backend that signed an OpenTok token created the session that the token names: create its channel.
          createsChannels: issuer.kind === 'OPENTOK',
        },
        claims,
        rights,
      );
      return { record, credential: credentialInfo(claims, issuer.id, key, rights) };
    },
    async recheck(credential, projectId) {
      const { issuerId, keyId, rights } = credential;
      if (rights === null || issuerId === null) return credential;
      if (issuerId === DEVELOPMENT_ISSUER) {
        if ((await settingsOf(projectId)).developmentTokens) return credential;
        throw unauthenticated();
      }
      const keyExpiresAt = await issuers.endOf(projectId, issuerId, keyId);
      if (keyExpiresAt === undefined) throw unauthenticated();
      return { ...credential, keyExpiresAt };
    },
  };
}

/** @throws UNAUTHENTICATED when the claims name a role that the project does not have */
function parseRights(claims: Claims, settings: ProjectSettings, expiresAt: number | null): CredentialRights {
  const { role, grants, connectionData, issuedAt } = claims;
  const choice = chooseRole(role, settings);
  if (choice === undefined) throw refused('its “role” is not a role of this project');
  return {
    role: choice?.role ?? null,
    customRole: choice?.customRole ?? null,
    grants,
    connectionData,
    issuedAt,
    expiresAt,
  };
}

/** Null: the claims state no role. Undefined: the project does not have the role. */
function chooseRole(role: Claims['role'], { permissions }: ProjectSettings): RoleChoice | null | undefined {
  if (role === null) return null;
  if (typeof role === 'string') return findRole(permissions, role);
  const known = role.map((name) => findRole(permissions, name));
  return known.find((choice) => choice !== undefined) ?? null;
}

function credentialInfo(
  { issuedAt }: Claims,
  issuerId: string,
  key: Verified['key'],
  rights: CredentialRights,
): CredentialInfo {
  return { issuedAt, issuerId, keyId: key?.id ?? null, keyExpiresAt: key?.expiresAt ?? null, rights };
}
