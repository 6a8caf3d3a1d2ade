import { type SignalboxError } from '../errors.ts';
import { type EndReason } from './close-reason.ts';
import { type State } from './transitions.ts';

/** The state of the connection, for people and for programs. */
export interface Status {
  readonly state: State;
  /** One sentence for people. */
  readonly message: string;
  /** In `waiting` and `ended`: why. */
  readonly reason?: EndReason;
  /** In `waiting`: when the client reconnects, in milliseconds since 1970; null while the page is hidden away. */
  readonly retryAt?: number | null;
  /** The error that led to the state, if there is one. */
  readonly error?: SignalboxError;
}

const SENTENCES: Readonly<Record<State, string>> = {
  idle: 'Not connected yet.',
  connecting: 'Connecting …',
  connected: 'Connected.',
  renewing: 'Connected; the login is being renewed.',
  waiting: 'Connection lost. Reconnecting …',
  ended: 'Disconnected.',
};

const ENDINGS: Readonly<Partial<Record<EndReason, string>>> = {
  signedOut: 'You are signed out.',
  disconnected: 'You were disconnected by a moderator.',
  expired: 'Your login has expired.',
  revoked: 'Your login was revoked.',
  unauthenticated: 'Your login was not accepted.',
  protocol: 'The service cannot be used from here.',
};

/** The sentence of a state, and of the reason for which the client ended. */
export function sentenceOf(state: State, reason?: EndReason): string {
  return (state === 'ended' && reason && ENDINGS[reason]) || SENTENCES[state];
}
