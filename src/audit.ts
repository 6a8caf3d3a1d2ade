import { type ErrorCode, type RefusalReason } from './errors.ts';

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
    | 'credential.create'
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
  /** The id of the token that was acted on, if `subject` does not name it. */
  token?: string;
  /**
   * The identity of the token that was acted on; otherwise of the token that acted. For `activity` only: the audit log
   * leaves it out, because the ids name the tokens.
   */
  identity?: string;
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
  code?: ErrorCode;
  /** The sentence that a refused caller was shown; see `auditMessage`. */
  message?: string;
  /** The GraphQL field of a refused operation. */
  field?: string;
}

const MAX_MESSAGE_CHARACTERS = 300;

/** The sentence of a refusal as the audit log keeps it: a client can write long texts into one, such as the id of a channel. */
export const auditMessage = (message: string): string => message.slice(0, MAX_MESSAGE_CHARACTERS);

/** Writes one entry to the audit log. */
export type Audit = (entry: AuditEntry) => void;
