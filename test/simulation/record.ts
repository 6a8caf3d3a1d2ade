/** The record of a simulation: plain data, so that tests can copy it, tamper with it and check it. */
export interface SimulationRecord {
  seed: number;
  /** The time of each moment, in milliseconds since 1970. */
  wallClock: number[];
  /** Periods in which the process was ready to run and the machine did not let it, each with the moment after it. */
  stalls: { at: Moment; ms: number }[];
  channels: Channel[];
  tokens: Token[];
  attempts: PublishAttempt[];
  patches: Patch[];
  streams: Stream[];
  onlineChecks: OnlineCheck[];
  /** Answers that no rule of the simulation allows. */
  unexpectedErrors: string[];
  finalState: FinalState;
  /** Number of connections cut. */
  cuts: number;
}

/**
 * Every recorded fact has a moment of its own, counted from 0. All are recorded in one process, so that of two moments the
 * lower one was first.
 */
export type Moment = number;

/**
 * From before a request was sent until its answer was there: the effect happened in between. If `returned` is NEVER, it is
 * unknown whether the effect happened.
 */
export interface Span {
  sent: Moment;
  returned: Moment;
}

export const NEVER = Number.POSITIVE_INFINITY;

export type Role = 'GUEST' | 'SUBSCRIBER' | 'PUBLISHER' | 'MODERATOR';
export type Action = 'SUBSCRIBE' | 'PUBLISH' | 'PRESENCE' | 'MODERATE';

export interface Grant {
  channels: string;
  actions: readonly Action[];
}

export interface Channel {
  id: string;
  type: 'UNPROTECTED' | 'PUBLIC' | 'PRIVATE';
}

/** The permissions of a token from `from` on, until the next period. */
export interface PermissionPeriod {
  from: Span;
  role: Role;
  grants: readonly Grant[] | null;
  expiresAt: number | null;
  /** If set, the token has no permissions in this period. */
  ended?: 'REVOKED' | 'EXPIRED';
}

/** A membership, from its beginning to its end. */
export interface MembershipPeriod {
  channel: string;
  began: Span;
  ended: Span | undefined;
}

export interface Token {
  name: string;
  id: string;
  identity: string | undefined;
  /** In milliseconds since 1970. A credential keeps its own expiry, even if the expiry of the token is changed. */
  credentialEnds: number;
  permissionPeriods: PermissionPeriod[];
  membershipPeriods: MembershipPeriod[];
}

/** `channel:<id>`, `token:<name of the token>`, `identity:<identity>` or `connection:<id>`. */
export type Address = `${'channel' | 'token' | 'identity' | 'connection'}:${string}`;

/** A publish and its outcome. */
export interface PublishAttempt extends Span {
  /** The text in the data of the message; it is unique. */
  text: string;
  to: Address;
  ephemeral: boolean;
  /** The name of the publishing token; undefined: the API key. */
  by: string | undefined;
  outcome: 'KEPT' | 'REFUSED' | 'UNKNOWN';
  /** The error code, if it was refused. */
  code?: string;
  message?: Message;
}

export interface Message {
  id: string;
  cursor: string | null;
  previous: string | null;
  channel: string | null;
  data: { text: string; padding: string };
}

export interface Patch extends Span {
  channel: string;
  /** The key of the channel state that the patch sets to true. */
  key: string;
  version: number;
}

interface Versioned {
  id: string;
  version: number;
}

export type InboxEvent =
  | { __typename: 'Connected'; connection: { id: string }; cursor: string; channels: Versioned[] }
  | { __typename: 'ChannelAvailable' | 'ChannelUnavailable' | 'ChannelStateUpdated'; channel: Versioned }
  | { __typename: 'ChannelMessage' | 'DirectMessage'; message: Message }
  | { __typename: 'Gap'; reason: string }
  | { __typename: 'TokenUpdated' | 'TokenExpiring' | 'Disconnecting' };

/** One subscription on one socket. */
export interface Session {
  /** A moment before the first delivery of the session. */
  opened: Moment;
  /** The moment at which `Connected` was received. */
  connected: Moment | undefined;
  connection: string | undefined;
  closed: Moment | undefined;
  code: number | undefined;
}

export interface ReceivedEvent {
  at: Moment;
  /** Index into the sessions. */
  session: number;
  event: InboxEvent;
}

/** The events that one client received in all of its sessions. It always resumes from the last cursor. */
export interface Stream {
  name: string;
  /** The name of the token. */
  token: string;
  /** When the cursor was obtained that the stream starts at; undefined: the stream starts at its first `Connected`. */
  start: Span | undefined;
  sessions: Session[];
  received: ReceivedEvent[];
  /** Whether the client is meant to be connected at the end. */
  isActive: boolean;
  /** The moment at which the service told the client not to reconnect. */
  ended: Moment | undefined;
}

/** An `isOnline` query during the simulation. */
export interface OnlineCheck extends Span {
  token: string;
  online: boolean;
}

/** The state of the service after all activity has ended. */
export interface FinalState extends Span {
  /** Ids of the tokens that are online. */
  online: string[];
  channels: { id: string; presence: number; version: number; state: object }[];
  histories: { id: string; messages: Message[] }[];
  /** The result of `Viewer.directMessages`, by the name of the token. */
  directMessages: { token: string; messages: Message[] }[];
}

/** The text of the last message to a token: a client that has received it has received everything. */
export const finalMessageTo = (token: string) => `final message to ${token}`;
