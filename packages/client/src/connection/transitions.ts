/** The states of a client. */
export type State = 'idle' | 'connecting' | 'connected' | 'renewing' | 'waiting' | 'ended';

/**
 * The events that change the state of a client.
 * - `connect`: the application needs the connection
 * - `acknowledged`: the service accepted the connection
 * - `expiring`: the credential has to be renewed on the live connection
 * - `renewed`: the service accepted the new credential
 * - `interrupted`: the socket was lost, could not be opened or is not needed now; the credential function failed
 * - `retry`: the wait is over
 * - `refused`: the service or the credential function ended it
 * - `close`: the application ended it
 */
export type ConnectionEvent =
  'connect' | 'acknowledged' | 'expiring' | 'renewed' | 'interrupted' | 'retry' | 'refused' | 'close';

const OUT_OF_OPEN = { interrupted: 'waiting', refused: 'ended', close: 'ended' } as const;

/** The next state by state and event. A pair that is missing has no effect. */
const TRANSITIONS: Readonly<Record<State, Readonly<Partial<Record<ConnectionEvent, State>>>>> = {
  idle: { connect: 'connecting', close: 'ended' },
  connecting: { acknowledged: 'connected', ...OUT_OF_OPEN },
  connected: { expiring: 'renewing', ...OUT_OF_OPEN },
  renewing: { renewed: 'connected', ...OUT_OF_OPEN },
  waiting: { connect: 'connecting', retry: 'connecting', refused: 'ended', close: 'ended' },
  ended: { connect: 'connecting' },
};

/** The state after an event; undefined if the event has no effect in this state. */
export const nextState = (state: State, event: ConnectionEvent): State | undefined =>
  TRANSITIONS[state][event];
