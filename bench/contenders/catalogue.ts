import { cluster } from './cluster.ts';
import { type Contender, type Endpoint } from '../contender.ts';
import { nchan } from './nchan.ts';
import { startProgram } from './program.ts';
import { signalbox } from './signalbox.ts';

const PLAIN = {
  protocol: 'plain',
  subscribePath: '/subscribe',
  publishPath: '/publish',
  operationIds: 'shared',
} as const;

/** Clients of the other GraphQL servers use UUIDs, as graphql-ws does. These servers frame every result separately anyway. */
const GRAPHQL = {
  protocol: 'graphql',
  subscribePath: '/graphql',
  publishPath: '/graphql',
  operationIds: 'unique',
} as const;

const SOCKET_IO = {
  protocol: 'socket.io',
  subscribePath: '/socket.io/?EIO=4&transport=websocket',
  publishPath: '/socket.io/?EIO=4&transport=websocket',
  operationIds: 'shared',
} as const;

/** All contenders; Signalbox is last, because the others are compared with it. */
export const CONTENDERS: readonly Contender[] = [
  program('yoga', 'graphql-yoga + graphql-ws', GRAPHQL),
  program('apollo', 'graphql-subscriptions + graphql-ws', GRAPHQL),
  program('mercurius', 'mercurius', GRAPHQL),
  program('socket-io', 'socket.io room', SOCKET_IO),
  program('raw-ws', 'raw ws, one shared buffer', PLAIN),
  nchan,
  signalbox('signalbox-uuid', 'Signalbox, UUID ids', 'unique'),
  signalbox('signalbox', 'Signalbox, shared ids', 'shared'),
  cluster('nodes-1', '1 node on PostgreSQL', 1),
  cluster('nodes-1-memory', '1 node on PostgreSQL, data in memory', 1, { disk: '/dev/shm' }),
  cluster('nodes-1-standby', '1 node on PostgreSQL, synchronous standby', 1, { hasStandby: true }),
  cluster('nodes-2', '2 nodes on PostgreSQL', 2),
  cluster('nodes-3', '3 nodes on PostgreSQL', 3),
];

/** No contender: a server of prebuilt frames, which measures the load generator. */
export const PREBUILT_FRAMES: Contender = program('prebuilt-frames', 'prebuilt frames', PLAIN);

function program(name: string, label: string, endpoint: Omit<Endpoint, 'port' | 'pid'>): Contender {
  return { name, label, start: () => startProgram(name, endpoint) };
}
