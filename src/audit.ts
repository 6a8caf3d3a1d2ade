import { type ErrorCode } from './errors.ts';
import { type RefusalReason } from './refusal-reason.ts';

/** The actions of the audit log, and what each says. */
export const AUDIT_ACTIONS = {
  'project.create': 'A project was created.',
  'project.update': 'The name or the settings of a project were changed.',
  'key.create': 'An API key was created.',
  'key.revoke': 'An API key was revoked.',
  'key.rotate': 'An API key got a successor. The old one stays valid for the overlap.',
  'signing-key.rotate': 'The service signs credentials with a new key from now on.',
  'secrets.reseal': 'The stored secrets were encrypted again with the current master key.',
  'issuer.create': 'A project accepts the credentials of another issuer from now on.',
  'issuer.update': 'An issuer was changed.',
  'issuer.remove': 'An issuer was removed: its credentials are refused.',
  'issuer.add-key': 'An issuer got another key.',
  'issuer.remove-key': 'A key of an issuer was removed, at once or after an overlap.',
  'token.create': 'A backend created a token.',
  'token.first-use': 'The first use of a credential of another issuer created a token.',
  'credential.create': 'A backend got another credential for a token.',
  'token.update': 'The rights, the expiry or the data of a token were changed.',
  'token.revoke': 'A token was revoked.',
  'tokens.revoke':
    'All credentials of an identity, an issuer or a project were revoked that were issued before a moment.',
  'tokens.restore': 'A revocation by `tokens.revoke` was undone.',
  'guest.create': 'A client created a token for a guest.',
  'mute.put': 'A token or an identity was muted.',
  'mute.lift': 'A mute was lifted.',
  'ban.put': 'A token or an identity was banned.',
  'ban.lift': 'A ban was lifted.',
  'connection.disconnect': 'A live connection was closed.',
  'channel.create': 'A channel was created.',
  'channel.update': 'The type, the kind or another setting of a channel was changed.',
  'channel.delete': 'A channel was deleted.',
  'channel.state': 'The state of a channel was changed.',
  'membership.subscribe': 'A token was subscribed to a channel.',
  'membership.unsubscribe': 'A membership was ended.',
  refused: 'A caller was refused for missing authority.',
  'refused.omitted': 'Refusals that have no line of their own, because there were too many: `count` of them.',
} as const;

/** One line of the operator's audit log: actor, action and subject. It never holds a credential, a secret or a payload. */
export interface AuditEntry {
  action: keyof typeof AUDIT_ACTIONS;
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
