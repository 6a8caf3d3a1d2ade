import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { refusalOf } from '../tokens/api-key-rights.ts';
import { type Activity, type ActivityKind } from './activity.ts';

/** Selects activities. Absent fields select all. */
export interface ActivityFilter {
  kinds?: readonly ActivityKind[] | undefined;
  channel?: string | undefined;
  token?: string | undefined;
  identity?: string | undefined;
}

/** What an API key may see of the activities that a filter selects. */
export interface ActivityRights {
  /** Administration, and the network addresses of refused callers. */
  isAdmin: boolean;
  /** Refusals of callers whose project was not known. */
  isOperator: boolean;
}

/**
 * @throws UNAUTHENTICATED, FORBIDDEN unless the caller is an API key with the scope READ, in the channel of the filter; and
 * with the scope ADMIN to name the kind ADMINISTRATION
 */
export function requireActivityRights(caller: Caller, { kinds, channel }: ActivityFilter): ActivityRights {
  requireApiKey(caller, 'READ', channel);
  if (kinds?.includes('ADMINISTRATION')) requireApiKey(caller, 'ADMIN');
  return {
    isAdmin: refusalOf(caller.apiKey, 'ADMIN', undefined) === undefined,
    isOperator: caller.apiKey.operator,
  };
}

export function selects(
  { kinds, channel, token, identity }: ActivityFilter,
  { isAdmin, isOperator }: ActivityRights,
  activity: Activity,
): boolean {
  if (activity.projectId === undefined && !isOperator) return false;
  if (activity.kind === 'ADMINISTRATION' && !isAdmin) return false;
  if (kinds && !kinds.includes(activity.kind)) return false;
  if (channel !== undefined && activity.channelId !== channel) return false;
  if (identity !== undefined && activity.identity !== identity) return false;
  return token === undefined || activity.tokenId === token || activity.actor === token;
}
