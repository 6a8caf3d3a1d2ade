import { expect, test } from 'vitest';
import { TRANSITIONS, type ConnectionEvent, type State } from '../src/connection/transitions.ts';

const STATES: State[] = ['idle', 'connecting', 'connected', 'renewing', 'waiting', 'ended'];
const EVENTS: ConnectionEvent[] = [
  'connect',
  'acknowledged',
  'expiring',
  'renewed',
  'interrupted',
  'retry',
  'refused',
  'close',
];

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

test.each(PAIRS)('%s × %s leads to the state of the table', (state, event) => {
  expect(TRANSITIONS[state][event]).toBe(CHANGES[`${state} × ${event}`] ?? state);
});

test('the table has every state and every event', () => {
  expect(Object.keys(TRANSITIONS).sort()).toEqual([...STATES].sort());
  for (const row of Object.values(TRANSITIONS)) expect(Object.keys(row).sort()).toEqual([...EVENTS].sort());
});
