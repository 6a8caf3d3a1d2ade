import { type AuditEntry } from '../audit.ts';
import { type Message, type Sender } from '../broker/message.ts';
import { type PresenceChange } from '../broker/signal.ts';
import { type ConnectionChange } from '../connections/registry.ts';
import { type ErrorCode } from '../errors.ts';
import { type Json } from '../names.ts';
import { actorOf } from '../tokens/caller.ts';

export const ACTIVITY_KINDS = [
  'MESSAGE',
  'PRESENCE',
  'CONNECTION',
  'TOKEN',
  'MEMBERSHIP',
  'CHANNEL',
  'MODERATION',
  'REFUSAL',
  'ADMINISTRATION',
  'SKIPPED',
] as const;
export type ActivityKind = (typeof ACTIVITY_KINDS)[number];

/** Something that happened in a project, as operators see it. Fields that do not apply are undefined. */
export interface Activity {
  /** Milliseconds since 1970. */
  at: number;
  kind: ActivityKind;
  /** As in the audit log; `message.publish`, `presence.join`, `connection.open` and so on for what the audit log leaves out. */
  action: string;
  /** Undefined when a caller was refused before its project was known. */
  projectId: string | undefined;
  /** The id of the API key or token that acted, or `anonymous`; undefined for messages of API keys, which do not record the key. */
  actor?: string | undefined;
  subject?: string | undefined;
  channelId?: string | undefined;
  tokenId?: string | undefined;
  identity?: string | undefined;
  connectionId?: string | undefined;
  code?: ErrorCode | undefined;
  reason?: string | undefined;
  sentence?: string | undefined;
  field?: string | undefined;
  address?: string | undefined;
  count?: number | undefined;
  message?: { id: string; event: string } | undefined;
  /** The data of a message or the presence state. Only for subscribers that asked for payloads. */
  data?: Json | undefined;
  /** True if it happened before the subscription began. */
  isReplayed?: boolean | undefined;
}

const KINDS: Record<AuditEntry['action'], ActivityKind> = {
  'project.create': 'ADMINISTRATION',
  'project.update': 'ADMINISTRATION',
  'key.create': 'ADMINISTRATION',
  'key.revoke': 'ADMINISTRATION',
  'key.rotate': 'ADMINISTRATION',
  'signing-key.rotate': 'ADMINISTRATION',
  'secrets.reseal': 'ADMINISTRATION',
  'issuer.create': 'ADMINISTRATION',
  'issuer.update': 'ADMINISTRATION',
  'issuer.remove': 'ADMINISTRATION',
  'issuer.add-key': 'ADMINISTRATION',
  'issuer.remove-key': 'ADMINISTRATION',
  'token.create': 'TOKEN',
  'token.first-use': 'TOKEN',
  'credential.create': 'TOKEN',
  'token.update': 'TOKEN',
  'token.revoke': 'TOKEN',
  'tokens.revoke': 'TOKEN',
  'tokens.restore': 'TOKEN',
  'guest.create': 'TOKEN',
  'mute.put': 'MODERATION',
  'mute.lift': 'MODERATION',
  'ban.put': 'MODERATION',
  'ban.lift': 'MODERATION',
  'connection.disconnect': 'MODERATION',
  'channel.create': 'CHANNEL',
  'channel.update': 'CHANNEL',
  'channel.delete': 'CHANNEL',
  'channel.state': 'CHANNEL',
  'membership.subscribe': 'MEMBERSHIP',
  'membership.unsubscribe': 'MEMBERSHIP',
  refused: 'REFUSAL',
  'refused.omitted': 'REFUSAL',
};

/** The activity of an entry of the audit log. */
export function activityOfAudit(entry: AuditEntry, at: number): Activity {
  const { action, subject, message, channel, ...fields } = entry;
  const kind = KINDS[action];
  return {
    ...fields,
    at,
    kind,
    action,
    projectId: entry.projectId,
    subject,
    channelId: channel ?? (kind === 'CHANNEL' ? subject : undefined),
    tokenId: entry.token ?? tokenOf(subject) ?? tokenOf(entry.actor),
    identity: entry.identity ?? identityOf(subject),
    connectionId: action === 'connection.disconnect' ? subject : undefined,
    sentence: message,
  };
}

/** The token that an id names. Restrictions name their subject as `token:<id>`. */
const tokenOf = (id: string | undefined): string | undefined =>
  /^(?:token:)?(token_.*)$/s.exec(id ?? '')?.[1];
const identityOf = (subject: string | undefined): string | undefined =>
  /^identity:(.*)$/s.exec(subject ?? '')?.[1];

/** The part of a message that its activity has. */
export interface MessageOfActivity extends Pick<
  Message,
  'projectId' | 'id' | 'address' | 'event' | 'publishedAt'
> {
  sender: Pick<Sender, 'tokenId' | 'identity'>;
  /** Undefined: it is not known any more. */
  data?: Json | undefined;
}

/** The recipient of a direct message; for a message to a channel, its sender. Runs for each message while there is a subscription. */
export function activityOfMessage(message: MessageOfActivity): Activity {
  const { id, event, address, sender, data, projectId, publishedAt } = message;
  const separator = address.indexOf(':');
  const kind = address.slice(0, separator);
  const recipient = address.slice(separator + 1);
  const isToChannel = kind === 'channel';
  const sentBy = sender.tokenId ?? undefined;
  return {
    at: publishedAt,
    kind: 'MESSAGE',
    action: 'message.publish',
    projectId,
    actor: sentBy,
    subject: id,
    channelId: isToChannel ? recipient : undefined,
    tokenId: isToChannel ? sentBy : kind === 'token' ? recipient : undefined,
    identity: isToChannel ? (sender.identity ?? undefined) : kind === 'identity' ? recipient : undefined,
    connectionId: kind === 'connection' ? recipient : undefined,
    message: { id, event },
    data,
  };
}

const PRESENCE_ACTIONS = {
  JOINED: 'presence.join',
  LEFT: 'presence.leave',
  UPDATED: 'presence.update',
} as const satisfies Record<PresenceChange['change'], string>;

export function activityOfPresence({
  change,
  projectId,
  channelId,
  member,
  reason,
  at,
}: PresenceChange): Activity {
  const { tokenId, identity, connectionId, state } = member;
  return {
    at,
    kind: 'PRESENCE',
    action: PRESENCE_ACTIONS[change],
    projectId,
    actor: tokenId ?? undefined,
    subject: connectionId,
    channelId,
    tokenId: tokenId ?? undefined,
    identity: identity ?? undefined,
    connectionId,
    reason: reason ?? undefined,
    data: state,
  };
}

export function activityOfConnection({ action, connection, reason }: ConnectionChange, at: number): Activity {
  const { id, caller, projectId } = connection;
  const token = caller.kind === 'TOKEN' ? caller.token : undefined;
  return {
    at,
    kind: 'CONNECTION',
    action,
    projectId,
    actor: actorOf(caller),
    subject: id,
    tokenId: token?.id,
    identity: token?.identity ?? undefined,
    connectionId: id,
    reason,
  };
}
