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

/** The row of a state: the occurrences that change it. All others have no effect. */
const row = (
  state: State,
  changes: Partial<Record<ConnectionEvent, State>>,
): Record<ConnectionEvent, State> => ({
  ...{ connect: state, acknowledged: state, expiring: state, renewed: state },
  ...{ interrupted: state, retry: state, refused: state, close: state },
  ...changes,
});

/** The next state for every pair; a pair that is its own state has no effect. */
export const TRANSITIONS: Readonly<Record<State, Readonly<Record<ConnectionEvent, State>>>> = {
  idle: row('idle', { connect: 'connecting', close: 'ended' }),
  connecting: row('connecting', {
    acknowledged: 'connected',
    interrupted: 'waiting',
    refused: 'ended',
    close: 'ended',
  }),
  connected: row('connected', {
    expiring: 'renewing',
    interrupted: 'waiting',
    refused: 'ended',
    close: 'ended',
  }),
  renewing: row('renewing', {
    renewed: 'connected',
    interrupted: 'waiting',
    refused: 'ended',
    close: 'ended',
  }),
  waiting: row('waiting', { connect: 'connecting', retry: 'connecting', refused: 'ended', close: 'ended' }),
  ended: row('ended', { connect: 'connecting' }),
};
