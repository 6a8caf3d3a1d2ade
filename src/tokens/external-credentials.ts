import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type RateLimit } from '../rate-limit.ts';
import { type CredentialInfo } from './caller.ts';
import { parseClaimedIdentity } from './identity.ts';
import { type Claims } from './issuers/claims.ts';
import { readDevelopmentToken } from './issuers/development.ts';
import { type CredentialKind } from './issuers/classify-credential.ts';
import { type IssuerKind } from './issuers/issuer.ts';
import { type Issuers } from './issuers/issuers.ts';
import { type Providers } from './issuers/jwks.ts';
import { verifyOpentok } from './issuers/opentok.ts';
import { verifySignalbox } from './issuers/signalbox.ts';
import { verifyStream } from './issuers/stream-chat.ts';
import { verifyTwilio } from './issuers/twilio.ts';
import { type Verified, type Verify } from './issuers/verify.ts';
import { endOfClaims } from './lifetime.ts';
import { type Provisioning } from './provisioning.ts';
import { findRole } from './roles.ts';
import { type CredentialRights, type Token } from './token.ts';
import { refused, unauthenticated } from './credential-errors.ts';

/** The issuer of unsigned credentials: nobody. */
export const DEVELOPMENT_ISSUER = 'development';

export interface ExternalCredentials {
  /**
   * The record of whoever presents a credential that we did not sign, and what is known of the credential.
   * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED; UNAVAILABLE when a provider’s keys cannot be fetched
   */
  authenticate(
    credential: string,
    kind: CredentialKind,
    projectId: string,
  ): Promise<{ record: Token; credential: CredentialInfo }>;
  /** What is known of the credential now. @throws UNAUTHENTICATED when its signer is not trusted any more */
  recheck(credential: CredentialInfo, projectId: string): Promise<CredentialInfo>;
}

const VERIFIERS: Record<Exclude<IssuerKind, 'JWKS'>, Verify> = {
  SIGNALBOX: verifySignalbox,
  STREAM: verifyStream,
  TWILIO: verifyTwilio,
  OPENTOK: verifyOpentok,
};

export function createExternalCredentials(parts: {
  issuers: Issuers;
  providers: Providers;
  provisioning: Provisioning;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
  config: Config;
  /** Of development tokens: anybody can make them. */
  firstUses: RateLimit;
}): ExternalCredentials {
  const { issuers, providers, provisioning, settingsOf, clock, config, firstUses } = parts;

  async function verify(credential: string, kind: CredentialKind, projectId: string) {
    const signer = await issuers.find(projectId, kind);
    if (!signer) throw refused('nobody whom this project knows has signed it');
    const { issuer, keys } = signer;
    const at = { now: clock.now(), maxGrants: config.maxGrantsPerToken };
    const verified: Verified = await (issuer.kind === 'JWKS'
      ? providers.verify(credential, issuer, at)
      : VERIFIERS[issuer.kind](credential, issuer, keys, at));
    return { issuer, ...verified };
  }

  async function authenticateDevelopment(
    kind: Extract<CredentialKind, { kind: 'DEVELOPMENT' }>,
    projectId: string,
  ) {
    const settings = await settingsOf(projectId).catch((error: unknown) => {
      // Nobody has proved anything yet: a project that is not there is one that takes none.
      throw error instanceof SignalboxError && error.code === 'NOT_FOUND' ? unauthenticated() : error;
    });
    if (!settings.developmentTokens) throw unauthenticated();
    const claims = readDevelopmentToken(kind);
    parseClaimedIdentity(kind.identity, 'STREAM', settings);
    firstUses.take(projectId);
    const whose = { projectId, issuerId: DEVELOPMENT_ISSUER, origin: 'DEVELOPMENT' as const };
    const rights = rightsOf(claims, settings, null);
    const record = await provisioning.findOrCreate({ ...whose, makesChannels: false }, claims, rights);
    return { record, credential: credentialInfo(claims, DEVELOPMENT_ISSUER, null, rights) };
  }

  return {
    async authenticate(credential, kind, projectId) {
      if (kind.kind === 'DEVELOPMENT') return authenticateDevelopment(kind, projectId);
      const { issuer, claims, key } = await verify(credential, kind, projectId);
      const settings = await settingsOf(projectId);
      if (claims.identity !== null) parseClaimedIdentity(claims.identity, issuer.kind, settings);
      const expiresAt = endOfClaims(claims, settings, clock.now());
      const rights = rightsOf(claims, settings, expiresAt);
      const record = await provisioning.findOrCreate(
        {
          projectId,
          issuerId: issuer.id,
          origin: 'SELF_MINTED',
          // The session that an OpenTok token names is as good as made: whoever signed the token wants it.
          makesChannels: issuer.kind === 'OPENTOK',
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

/** @throws UNAUTHENTICATED when it names a role that the project does not have */
function rightsOf(claims: Claims, settings: ProjectSettings, expiresAt: number | null): CredentialRights {
  const { role, grants, connectionData, issuedAt } = claims;
  const choice = role === null ? null : findRole(settings.permissions, role);
  if (choice === undefined) throw refused('its “role” is none of this project’s');
  return {
    role: choice?.role ?? null,
    customRole: choice?.customRole ?? null,
    grants,
    connectionData,
    issuedAt,
    expiresAt,
  };
}

function credentialInfo(
  { issuedAt }: Claims,
  issuerId: string,
  key: Verified['key'],
  rights: CredentialRights,
): CredentialInfo {
  return { issuedAt, issuerId, keyId: key?.id ?? null, keyExpiresAt: key?.expiresAt ?? null, rights };
}
