import { type RefusalReason } from './errors.ts';

/** One line of the operator's audit log: actor, action and subject. It never holds a credential, a secret or a payload. */
export interface AuditEntry {
  action:
    | 'project.create'
    | 'project.update'
    | 'key.create'
    | 'key.revoke'
    | 'key.rotate'
    | 'signing-key.rotate'
    | 'secrets.reseal'
    | 'issuer.create'
    | 'issuer.update'
    | 'issuer.remove'
    | 'issuer.add-key'
    | 'issuer.remove-key'
    | 'token.create'
    | 'token.first-use'
    | 'token.mint'
    | 'token.update'
    | 'token.revoke'
    | 'tokens.revoke'
    | 'tokens.restore'
    | 'guest.create'
    | 'mute.put'
    | 'mute.lift'
    | 'ban.put'
    | 'ban.lift'
    | 'connection.disconnect'
    | 'channel.create'
    | 'channel.update'
    | 'channel.delete'
    | 'channel.state'
    | 'membership.subscribe'
    | 'membership.unsubscribe'
    | 'refused'
    | 'refused.omitted';
  /** Absent when a caller was refused before authentication. */
  projectId?: string;
  /** The id of the API key or token that acted; otherwise `anonymous`. */
  actor: string;
  /** The id of the object that was acted on. */
  subject?: string;
  /** The channel in which the action applies, if the channel is not the subject. */
  channel?: string;
  /** The network address of a refused caller, as limits count it: IPv6 by its prefix. */
  address?: string;
  /** Who issued the token of a refused caller: an issuer, an API key, or `signalbox`. */
  issuer?: string;
  /** Why a caller was refused. */
  reason?: RefusalReason;
  /** The number of refusals that have no line of their own. */
  count?: number;
  /** The error code of a refused operation. */
  code?: string;
  /** Why a caller was refused before authentication: the sentence that it was shown. */
  message?: string;
  /** The GraphQL field of a refused operation. */
  field?: string;
}

/** Writes one entry to the audit log. */
export type Audit = (entry: AuditEntry) => void;
