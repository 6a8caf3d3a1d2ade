import { actorOf } from '../tokens/caller.ts';
import { type Context } from './context.ts';

/** Writes a change to the audit log: for changes that the domain makes without knowing the caller. */
export function audit(
  { caller, domain }: Pick<Context, 'caller' | 'domain'>,
  action: Parameters<Context['domain']['audit']>[0]['action'],
  subject?: string,
): void {
  domain.audit({
    action,
    projectId: caller.projectId,
    actor: actorOf(caller),
    ...(subject !== undefined && { subject }),
  });
}
