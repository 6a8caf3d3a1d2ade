/** The states of a client. */
export type State = 'idle' | 'connecting' | 'connected' | 'renewing' | 'waiting' | 'ended';

/**
 * The events that change the state of a client.
 * - `connect`: the application needs the connection
 * - `acknowledged`: the service accepted the connection
 * - `expiring`: the credential has to be renewed on the live connection
 * - `renewed`: the service accepted the new credential
 * - `interrupted`: the link was lost, could not be opened or is not needed now; the credential function failed
 * - `retry`: the wait is over
 * - `refused`: the service or the credential function ended it
 * - `close`: the application ended it
 */
export type Occurrence =
  'connect' | 'acknowledged' | 'expiring' | 'renewed' | 'interrupted' | 'retry' | 'refused' | 'close';

/** The next state for every pair; a pair that is its own state has no effect. */
export const TRANSITIONS: Readonly<Record<State, Readonly<Record<Occurrence, State>>>> = {
  idle: {
    connect: 'connecting',
    acknowledged: 'idle',
    expiring: 'idle',
    renewed: 'idle',
    interrupted: 'idle',
    retry: 'idle',
    refused: 'idle',
    close: 'ended',
  },
  connecting: {
    connect: 'connecting',
    acknowledged: 'connected',
    expiring: 'connecting',
    renewed: 'connecting',
    interrupted: 'waiting',
    retry: 'connecting',
    refused: 'ended',
    close: 'ended',
  },
  connected: {
    connect: 'connected',
    acknowledged: 'connected',
    expiring: 'renewing',
    renewed: 'connected',
    interrupted: 'waiting',
    retry: 'connected',
    refused: 'ended',
    close: 'ended',
  },
  renewing: {
    connect: 'renewing',
    acknowledged: 'renewing',
    expiring: 'renewing',
    renewed: 'connected',
    interrupted: 'waiting',
    retry: 'renewing',
    refused: 'ended',
    close: 'ended',
  },
  waiting: {
    connect: 'connecting',
    acknowledged: 'waiting',
    expiring: 'waiting',
    renewed: 'waiting',
    interrupted: 'waiting',
    retry: 'connecting',
    refused: 'ended',
    close: 'ended',
  },
  ended: {
    connect: 'connecting',
    acknowledged: 'ended',
    expiring: 'ended',
    renewed: 'ended',
    interrupted: 'ended',
    retry: 'ended',
    refused: 'ended',
    close: 'ended',
  },
};
