import { SignalboxError } from '../errors.ts';
import { DEFAULT_PROJECT } from '../projects/project.ts';
import { type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';

/**
 * Who a `connection_init` speaks for: `{ token }`, `{ apiKey }` or neither, where `{ project }` names the project of an
 * anonymous caller. Two at once are refused: nobody should have to guess which one counts.
 * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED
 */
export async function callerOf(domain: Domain, params: Readonly<Record<string, unknown>>): Promise<Caller> {
  const token = textOf(params, 'token');
  const apiKey = textOf(params, 'apiKey');
  if (token !== undefined && apiKey !== undefined) throw malformed('give a token or an apiKey, not both');
  if (token !== undefined) return domain.authenticate.credential(token);
  if (apiKey !== undefined) return domain.authenticate.apiKey(apiKey);
  return anonymous(domain, textOf(params, 'project'));
}

/**
 * Who an HTTP request speaks for, by its Authorization header; without one, anonymous in the project that the
 * `project` header names.
 * @throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED
 */
export async function callerOfRequest(domain: Domain, headers: Headers): Promise<Caller> {
  const authorization = headers.get('authorization');
  if (authorization === null || authorization === '')
    return anonymous(domain, headers.get('project') ?? undefined);
  const bearer = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1];
  if (bearer === undefined) throw malformed('the Authorization header is “Bearer <API key or credential>”');
  return domain.authenticate.bearer(bearer);
}

async function anonymous(domain: Domain, projectId = DEFAULT_PROJECT): Promise<Caller> {
  try {
    const { id } = await domain.projects.get(projectId);
    return { kind: 'ANONYMOUS', projectId: id };
  } catch {
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
