import { SignalboxError } from '../errors.ts';
import { type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';

/**
 * Who a `connection_init` speaks for: `{ token }`, `{ apiKey }` or neither, where `{ project }` names the project of an
 * anonymous caller, or of a credential that says nothing of it. Two at once are refused: nobody should have to guess which one counts.
 * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED
 */
export async function callerOf(domain: Domain, params: Readonly<Record<string, unknown>>): Promise<Caller> {
  const token = textOf(params, 'token');
  const apiKey = textOf(params, 'apiKey');
  if (token !== undefined && apiKey !== undefined) throw malformed('give a token or an apiKey, not both');
  const project = textOf(params, 'project');
  if (token !== undefined) return domain.authenticate.credential(token, project);
  if (apiKey !== undefined) return domain.authenticate.apiKey(apiKey, project);
  return anonymous(domain, project);
}

/**
 * Who an HTTP request speaks for, by its Authorization header; without one, anonymous. The `project` header
 * names the project of an anonymous caller, or of a credential that says nothing of it.
 * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED
 */
export async function callerOfRequest(
  domain: Domain,
  header: (name: string) => string | null,
): Promise<Caller> {
  const authorization = header('authorization');
  const project = header('project') ?? undefined;
  if (authorization === null || authorization === '') return anonymous(domain, project);
  const bearer = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1];
  if (bearer === undefined) throw malformed('the Authorization header is “Bearer <API key or credential>”');
  return domain.authenticate.bearer(bearer, project);
}

async function anonymous(domain: Domain, projectId: string | undefined): Promise<Caller> {
  try {
    return await domain.authenticate.anonymous(projectId);
  } catch (error) {
    if (!(error instanceof SignalboxError) || error.code !== 'NOT_FOUND') throw error;
    throw new SignalboxError('UNAUTHENTICATED', 'There is no project of that name.');
  }
}

function textOf(params: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = params[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw malformed(`${name} is not a string`);
  return value;
}

function malformed(what: string): SignalboxError {
  return new SignalboxError('UNAUTHENTICATED', `The credentials are malformed: ${what}.`);
}
