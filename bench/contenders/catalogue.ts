import { type Contender, type Endpoint } from '../contender.ts';
import { nchan } from './nchan.ts';
import { startProgram } from './program.ts';
import { signalbox } from './signalbox.ts';

const PLAIN = {
  dialect: 'plain',
  subscribePath: '/subscribe',
  publishPath: '/publish',
  operationIds: 'shared',
} as const;

/** Clients of the peers send ids like those of graphql-ws: where each execution is framed by itself, it makes no difference. */
const GRAPHQL = {
  dialect: 'graphql',
  subscribePath: '/graphql',
  publishPath: '/graphql',
  operationIds: 'unique',
} as const;

const SOCKET_IO = {
  dialect: 'socket.io',
  subscribePath: '/socket.io/?EIO=4&transport=websocket',
  publishPath: '/socket.io/?EIO=4&transport=websocket',
  operationIds: 'shared',
} as const;

/** Signalbox last: it is the one that the others are compared with. */
export const CONTENDERS: readonly Contender[] = [
  program('yoga', 'graphql-yoga + graphql-ws', GRAPHQL),
  program('apollo', 'graphql-subscriptions + graphql-ws', GRAPHQL),
  program('mercurius', 'mercurius', GRAPHQL),
  program('socket-io', 'socket.io room', SOCKET_IO),
  program('raw-ws', 'raw ws, one shared buffer', PLAIN),
  nchan,
  signalbox('signalbox-uuid', 'Signalbox, UUID ids', 'unique'),
  signalbox('signalbox', 'Signalbox, shared ids', 'shared'),
];

/** Not compared: measures the load generator. */
export const BLASTER: Contender = program('blaster', 'prebuilt frames', PLAIN);

function program(name: string, label: string, endpoint: Omit<Endpoint, 'port' | 'pid'>): Contender {
  return { name, label, start: () => startProgram(name, endpoint) };
}
