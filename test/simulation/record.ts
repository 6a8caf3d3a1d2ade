/** What is known of an evening once it is over: plain data, so that it can be copied, tampered with and checked. */
export interface Evening {
  seed: number;
  /** When each moment was, in milliseconds since 1970. */
  walls: number[];
  /** Time in which the process wanted to run and was not let, and the moment after it. */
  lost: { at: Moment; ms: number }[];
  places: Place[];
  bearers: Bearer[];
  said: Said[];
  patches: Patch[];
  streams: Stream[];
  asked: Asked[];
  /** Answers that nobody expected. */
  surprises: string[];
  ending: Ending;
  /** Connections that were cut. */
  cuts: number;
}

/**
 * Everything that is noted has a moment of its own, counted from 0. All of it is noted in one process: of two moments
 * the lower one was first.
 */
export type Moment = number;

/** From before something was asked for until its answer was there: it happened in between. NEVER: nobody knows whether it did. */
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

/** A channel. */
export interface Place {
  id: string;
  type: 'UNPROTECTED' | 'PUBLIC' | 'PRIVATE';
}

/** What a token may do from `from` on, until the next regime. */
export interface Regime {
  from: Span;
  role: Role;
  grants: readonly Grant[] | null;
  expiresAt: number | null;
  /** Set where from then on it may do nothing. */
  ended?: 'REVOKED' | 'EXPIRED';
}

/** A membership, from its beginning to its end. */
export interface Stay {
  channel: string;
  began: Span;
  ended: Span | undefined;
}

/** A token. */
export interface Bearer {
  name: string;
  id: string;
  identity: string | undefined;
  /** In milliseconds since 1970: its credential keeps its own expiry, also when the token is given another one. */
  credentialEnds: number;
  regimes: Regime[];
  stays: Stay[];
}

/** `channel:<id>`, `token:<name of the bearer>`, `identity:<identity>` or `connection:<id>`. */
export type Address = `${'channel' | 'token' | 'identity' | 'connection'}:${string}`;

/** A publish, and what became of it. */
export interface Said extends Span {
  /** In its data: no two are the same. */
  text: string;
  to: Address;
  ephemeral: boolean;
  /** The name of the bearer; undefined: the API key. */
  by: string | undefined;
  outcome: 'KEPT' | 'REFUSED' | 'UNKNOWN';
  /** Why it was refused. */
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
  /** What it sets to true. */
  key: string;
  version: number;
}

interface Versioned {
  id: string;
  version: number;
}

export type SeenEvent =
  | { __typename: 'Connected'; connection: { id: string }; cursor: string; channels: Versioned[] }
  | { __typename: 'ChannelAvailable' | 'ChannelUnavailable' | 'ChannelStateUpdated'; channel: Versioned }
  | { __typename: 'ChannelMessage' | 'DirectMessage'; message: Message }
  | { __typename: 'TokenUpdated' | 'TokenExpiring' | 'Gap' | 'Disconnecting' };

/** One subscription on one socket. */
export interface Session {
  /** Not before this was anything delivered in it. */
  opened: Moment;
  /** When *Connected* came. */
  connected: Moment | undefined;
  connection: string | undefined;
  closed: Moment | undefined;
  code: number | undefined;
}

export interface Seen {
  at: Moment;
  /** Index into the sessions. */
  session: number;
  event: SeenEvent;
}

/** What one client saw, through all of its sessions: it always resumes with the last cursor. */
export interface Stream {
  name: string;
  bearer: string;
  /** Where it began: at the cursor that was had in this span; undefined: at its first *Connected*. */
  base: Span | undefined;
  sessions: Session[];
  seen: Seen[];
  /** Whether it wants to be connected at the end. */
  isHere: boolean;
  /** Set when it was told not to come back. */
  ended: Moment | undefined;
}

/** `isOnline`, asked on the way. */
export interface Asked extends Span {
  bearer: string;
  online: boolean;
}

/** What the service says when all have come to rest. */
export interface Ending extends Span {
  /** Ids of tokens. */
  online: string[];
  channels: { id: string; presence: number; version: number; state: object }[];
  histories: { id: string; messages: Message[] }[];
  /** What waits for a token, by `Viewer.directMessages`. */
  mail: { bearer: string; messages: Message[] }[];
}

/** What is said to a token at the very end: whoever has seen it has seen everything. */
export const lastWordTo = (bearer: string) => `good night, ${bearer}`;
