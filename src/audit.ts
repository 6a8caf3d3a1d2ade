/** Who did what to whom, for the operator's audit log. Never holds a credential, a secret or a payload. */
export interface AuditEntry {
  action:
    | 'project.create'
    | 'project.update'
    | 'key.create'
    | 'key.revoke'
    | 'key.rotate'
    | 'signing-key.rotate'
    | 'issuer.create'
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
    | 'refused';
  /** Absent where a caller was refused before it was known. */
  projectId?: string;
  /** The id of the API key or token that asked; `anonymous` otherwise. */
  actor: string;
  /** The id of what it was done to. */
  subject?: string;
  /** The channel, where there is one beside the subject. */
  channel?: string;
  /** The catalogue's code, where it was refused. */
  code?: string;
  /** The field of the API that was asked for, where it was refused. */
  field?: string;
}

export type Audit = (entry: AuditEntry) => void;
