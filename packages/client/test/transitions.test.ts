import { expect, test } from 'vitest';
import { nextState, type ConnectionEvent, type State } from '../src/connection/transitions.ts';

// The compiler requires every state and every event.
const STATES = Object.keys({
  ...{ idle: 0, connecting: 0, connected: 0, renewing: 0, waiting: 0, ended: 0 },
} satisfies Record<State, 0>) as State[];
const EVENTS = Object.keys({
  ...{ connect: 0, acknowledged: 0, expiring: 0, renewed: 0, interrupted: 0, retry: 0, refused: 0, close: 0 },
} satisfies Record<ConnectionEvent, 0>) as ConnectionEvent[];

/** The pairs that change the state. Every other pair has no effect. */
const CHANGES: Record<string, State> = {
  'idle × connect': 'connecting',
  'idle × close': 'ended',
  'connecting × acknowledged': 'connected',
  'connecting × interrupted': 'waiting',
  'connecting × refused': 'ended',
  'connecting × close': 'ended',
  'connected × expiring': 'renewing',
  'connected × interrupted': 'waiting',
  'connected × refused': 'ended',
  'connected × close': 'ended',
  'renewing × renewed': 'connected',
  'renewing × interrupted': 'waiting',
  'renewing × refused': 'ended',
  'renewing × close': 'ended',
  'waiting × connect': 'connecting',
  'waiting × retry': 'connecting',
  'waiting × refused': 'ended',
  'waiting × close': 'ended',
  'ended × connect': 'connecting',
};

const PAIRS = STATES.flatMap((state) => EVENTS.map((event) => [state, event] as const));

test.each(PAIRS)('%s × %s leads to the state of the table, or has no effect', (state, event) => {
  expect(nextState(state, event)).toBe(CHANGES[`${state} × ${event}`]);
});
