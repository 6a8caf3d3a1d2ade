/**
 * Handshake: authenticates the credential of a `connection_init` or of an HTTP request.
 * Before this step: `protocol`. Next, in the domain: `tokens/authenticate` verifies the credential.
 */
import { SignalboxError } from '../errors.ts';
import { type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';
import {
  findMisplacedCredential,
  parseBearer,
  refuseMisplacedCredential,
  type ConnectionInit,
} from './connection-init.ts';

/**
 * Authenticates a `connection_init`, which carries a credential or an API key, or neither for an anonymous caller.
 * @param misplaced the header of the upgrade that holds a credential, if any
 * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED
 */
export async function authenticateConnectionInit(
  domain: Domain,
  { token, apiKey, bearer, project }: ConnectionInit,
  misplaced: string | undefined,
): Promise<Caller> {
  if (token !== undefined) return domain.authenticate.credential(token, project);
  if (apiKey !== undefined) return domain.authenticate.apiKey(apiKey, project);
  if (bearer !== undefined) return domain.authenticate.bearer(bearer, project);
  if (misplaced !== undefined) refuseMisplacedCredential(misplaced, 'send it in connection_init');
  return authenticateAnonymous(domain, project);
}

/**
 * Authenticates the Authorization header of an HTTP request; without one the caller is anonymous. The `project` header
 * names the project of an anonymous caller, or of a credential that does not name one.
 * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED
 */
export async function authenticateHttpRequest(
  domain: Domain,
  header: (name: string) => string | null,
): Promise<Caller> {
  const authorization = header('authorization');
  const project = header('project') ?? undefined;
  if (authorization === null) {
    const misplaced = findMisplacedCredential(header, false);
    if (misplaced !== undefined)
      refuseMisplacedCredential(misplaced, 'send “Authorization: Bearer <API key or credential>”');
    return authenticateAnonymous(domain, project);
  }
  return domain.authenticate.bearer(parseBearer(authorization), project);
}

async function authenticateAnonymous(domain: Domain, projectId: string | undefined): Promise<Caller> {
  try {
    return await domain.authenticate.anonymous(projectId);
  } catch (error) {
    if (!(error instanceof SignalboxError) || error.code !== 'NOT_FOUND') throw error;
    throw new SignalboxError('UNAUTHENTICATED', 'The project does not exist.');
  }
}
