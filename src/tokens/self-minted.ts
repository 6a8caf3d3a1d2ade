import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type RateLimit } from '../rate-limit.ts';
import { type CredentialFacts } from './caller.ts';
import { parseClaimedIdentity } from './identity.ts';
import { type Claims } from './issuers/claims.ts';
import { readDevelopmentToken } from './issuers/development.ts';
import { type Facts } from './issuers/facts.ts';
import { type IssuerKind } from './issuers/issuer.ts';
import { type Issuers } from './issuers/issuers.ts';
import { type Providers } from './issuers/jwks.ts';
import { verifyOpentok } from './issuers/opentok.ts';
import { verifySignalbox } from './issuers/signalbox.ts';
import { verifyStream } from './issuers/stream.ts';
import { verifyTwilio } from './issuers/twilio.ts';
import { type Verified, type Verify } from './issuers/verify.ts';
import { endOfClaims } from './lifetime.ts';
import { type Records } from './records.ts';
import { findRole } from './roles.ts';
import { type ClaimedRights, type Token } from './token.ts';
import { refused, unauthenticated } from './credential-errors.ts';

/** The issuer of unsigned credentials: nobody. */
export const DEVELOPMENT_ISSUER = 'development';

export interface SelfMinted {
  /**
   * The record of whoever presents a credential that we did not sign, and what is known of the credential.
   * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED; UNAVAILABLE when a provider’s keys cannot be fetched
   */
  present(
    credential: string,
    facts: Facts,
    projectId: string,
  ): Promise<{ record: Token; credential: CredentialFacts }>;
  /** What is known of the credential now. @throws UNAUTHENTICATED when its signer is not trusted any more */
  recheck(credential: CredentialFacts, projectId: string): Promise<CredentialFacts>;
}

const VERIFIERS: Record<Exclude<IssuerKind, 'JWKS'>, Verify> = {
  SIGNALBOX: verifySignalbox,
  STREAM: verifyStream,
  TWILIO: verifyTwilio,
  OPENTOK: verifyOpentok,
};

export function createSelfMinted(parts: {
  issuers: Issuers;
  providers: Providers;
  records: Records;
  settingsOf: (projectId: string) => Promise<ProjectSettings>;
  clock: Clock;
  config: Config;
  /** Of development tokens: anybody can make them. */
  firstUses: RateLimit;
}): SelfMinted {
  const { issuers, providers, records, settingsOf, clock, config, firstUses } = parts;

  async function verify(credential: string, facts: Facts, projectId: string) {
    const signer = await issuers.find(projectId, facts);
    if (!signer) throw refused('nobody whom this project knows has signed it');
    const { issuer, keys } = signer;
    const at = { now: clock.now(), maxGrants: config.maxGrantsPerToken };
    const verified: Verified = await (issuer.kind === 'JWKS'
      ? providers.verify(credential, issuer, at)
      : VERIFIERS[issuer.kind](credential, issuer, keys, at));
    return { issuer, ...verified };
  }

  async function presentDevelopment(facts: Extract<Facts, { kind: 'DEVELOPMENT' }>, projectId: string) {
    const settings = await settingsOf(projectId).catch((error: unknown) => {
      // Nobody has proved anything yet: a project that is not there is one that takes none.
      throw error instanceof SignalboxError && error.code === 'NOT_FOUND' ? unauthenticated() : error;
    });
    if (!settings.developmentTokens) throw unauthenticated();
    const claims = readDevelopmentToken(facts);
    parseClaimedIdentity(facts.identity, 'STREAM', settings);
    firstUses.take(projectId);
    const whose = { projectId, issuerId: DEVELOPMENT_ISSUER, origin: 'DEVELOPMENT' as const };
    const rights = rightsOf(claims, settings, null);
    const record = await records.meet({ ...whose, makesChannels: false }, claims, rights);
    return { record, credential: factsAbout(claims, DEVELOPMENT_ISSUER, null, rights) };
  }

  return {
    async present(credential, facts, projectId) {
      if (facts.kind === 'DEVELOPMENT') return presentDevelopment(facts, projectId);
      const { issuer, claims, key } = await verify(credential, facts, projectId);
      const settings = await settingsOf(projectId);
      if (claims.identity !== null) parseClaimedIdentity(claims.identity, issuer.kind, settings);
      const expiresAt = endOfClaims(claims, settings, clock.now());
      const rights = rightsOf(claims, settings, expiresAt);
      const record = await records.meet(
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
      return { record, credential: factsAbout(claims, issuer.id, key, rights) };
    },
    async recheck(credential, projectId) {
      const { issuerId, keyId, claims } = credential;
      if (claims === null || issuerId === null) return credential;
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
function rightsOf(claims: Claims, settings: ProjectSettings, expiresAt: number | null): ClaimedRights {
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

function factsAbout(
  { issuedAt }: Claims,
  issuerId: string,
  key: Verified['key'],
  claims: ClaimedRights,
): CredentialFacts {
  return { issuedAt, issuerId, keyId: key?.id ?? null, keyExpiresAt: key?.expiresAt ?? null, claims };
}
