import { SignalboxError } from '../errors.ts';
import { parseName } from '../names.ts';
import { type ProjectSettings } from '../projects/project-settings.ts';
import { type IssuerKind } from './issuers/issuer.ts';
import { refused } from './credential-errors.ts';

/** No identity may hold this character unless it is a guest’s: so no guest can be a user, nor a user a guest. */
const GUEST_PREFIX = 'guest:';

type Rules = Pick<ProjectSettings, 'emailIdentities'>;

/** @throws BAD_USER_INPUT naming the offending character and its position */
export function parseIdentity(identity: string, { emailIdentities }: Rules, field: string): string {
  return parseName(emailIdentities ? 'emailIdentity' : 'identity', identity, field);
}

/** Issuers whose own rules let an identity be an e-mail address. */
const WITH_EMAIL: ReadonlySet<IssuerKind> = new Set(['STREAM', 'JWKS']);

/** An identity that a credential names. @throws UNAUTHENTICATED naming the offending character and its position */
export function parseClaimedIdentity(identity: string, kind: IssuerKind, { emailIdentities }: Rules): string {
  try {
    return parseIdentity(identity, { emailIdentities: emailIdentities || WITH_EMAIL.has(kind) }, 'identity');
  } catch (error) {
    throw error instanceof SignalboxError ? refused(error.message.replace(/\.$/, '')) : error;
  }
}

/** The identity of a guest: nobody else has it, whatever name the guest asks for. */
export function guestIdentity(unique: string, name: string | undefined): string {
  return `${GUEST_PREFIX}${unique}${name === undefined ? '' : `:${parseName('role', name, 'input.name')}`}`;
}
