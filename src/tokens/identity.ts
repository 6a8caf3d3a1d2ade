import { badInput, SignalboxError } from '../errors.ts';
import { parseName } from '../names.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { refused } from './credential-errors.ts';
import { type IssuerKind } from './issuers/issuer.ts';

/** Reserved for guests, so that a guest and a user never share an identity. */
const GUEST_PREFIX = 'guest:';

type IdentitySettings = Pick<ProjectSettings, 'emailIdentities'>;

/** @throws BAD_USER_INPUT naming the invalid character and its position */
export function parseIdentity(
  identity: string,
  { emailIdentities }: IdentitySettings,
  field: string,
): string {
  return parseName(emailIdentities ? 'emailIdentity' : 'identity', identity, field);
}

/** Issuers that choose the subjects of their users: any visible ASCII characters, as OpenID Connect allows them. */
const ISSUERS_WITH_OWN_SUBJECTS: ReadonlySet<IssuerKind> = new Set(['STREAM', 'JWKS']);

/**
 * Validates the identity that a credential claims. If the issuer chooses the subjects of its users, any visible ASCII characters
 * are allowed, except an identity that begins with `guest:`.
 * @throws UNAUTHENTICATED naming the invalid character and its position
 */
export function parseClaimedIdentity(
  identity: string,
  kind: IssuerKind,
  { emailIdentities }: IdentitySettings,
): string {
  try {
    if (!ISSUERS_WITH_OWN_SUBJECTS.has(kind)) return parseIdentity(identity, { emailIdentities }, 'identity');
    if (identity.startsWith(GUEST_PREFIX))
      throw badInput('identity', `must not begin with ${GUEST_PREFIX}, which is reserved for guests.`);
    return parseName('anyIdentity', identity, 'identity');
  } catch (error) {
    throw error instanceof SignalboxError ? refused(error.message.replace(/\.$/, '')) : error;
  }
}

/**
 * The identity of a guest: `guest:<unique>` or `guest:<unique>:<name>`. The name does not have to be unique.
 * @throws BAD_USER_INPUT when the name is malformed
 */
export function guestIdentity(unique: string, name: string | undefined): string {
  return `${GUEST_PREFIX}${unique}${name === undefined ? '' : `:${parseName('role', name, 'input.name')}`}`;
}
