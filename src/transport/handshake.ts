/**
 * Handshake, step 4 of 4: authenticates the credential of a `connection_init` or of an HTTP request.
 * Before this step: `protocol`. Next, in the domain: `tokens/authenticate` verifies the credential.
 */
import { SignalboxError } from '../errors.ts';
import { type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';

/**
 * Authenticates the `connectionParams` of a WebSocket: `{ token }`, `{ apiKey }`, or neither for an anonymous caller.
 * `{ project }` names the project of an anonymous caller, or of a credential that does not name one.
 * A token together with an API key is refused as ambiguous.
 * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED
 */
export async function authenticateConnectionInit(
  domain: Domain,
  params: Readonly<Record<string, unknown>>,
): Promise<Caller> {
  const token = readString(params, 'token');
  const apiKey = readString(params, 'apiKey');
  if (token !== undefined && apiKey !== undefined) throw malformed('send a token or an apiKey, not both');
  const project = readString(params, 'project');
  if (token !== undefined) return domain.authenticate.credential(token, project);
  if (apiKey !== undefined) return domain.authenticate.apiKey(apiKey, project);
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
  if (authorization === null || authorization === '') return authenticateAnonymous(domain, project);
  const bearer = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1];
  if (bearer === undefined)
    throw malformed('the Authorization header must be “Bearer <API key or credential>”');
  return domain.authenticate.bearer(bearer, project);
}

async function authenticateAnonymous(domain: Domain, projectId: string | undefined): Promise<Caller> {
  try {
    return await domain.authenticate.anonymous(projectId);
  } catch (error) {
    if (!(error instanceof SignalboxError) || error.code !== 'NOT_FOUND') throw error;
    throw new SignalboxError('UNAUTHENTICATED', 'The project does not exist.');
  }
}

/** Undefined if the parameter is absent, null or empty. */
function readString(params: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = params[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw malformed(`${name} must be a string`);
  return value;
}

function malformed(problem: string): SignalboxError {
  return new SignalboxError('UNAUTHENTICATED', `The credentials are malformed: ${problem}.`);
}
