import { randomBytes } from 'node:crypto';
import { createBrokerWithLanes, type BrokerWithLanes } from '../../src/broker/broker-with-lanes.ts';
import { createInProcessLeases } from '../../src/broker/leases-in-process.ts';
import { createNodeRegistration } from '../../src/broker/node-registration.ts';
import { createNotifyWire } from '../../src/broker/wire-notify.ts';
import { type Wire } from '../../src/broker/wire.ts';
import { createPostgresLogStore } from '../../src/messages/log/postgres-log-store.ts';
import { createNotifySessions } from '../../src/store/notify-session.ts';
import { isOutcomeUnknown } from '../../src/store/postgres-errors.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { type PostgresStore } from '../../src/store/store.ts';
import { setLobby, type BrokerUnderTest } from './broker.ts';
import { createManualClock } from './clock.ts';
import { sharedPostgres } from './postgres.ts';

let nodes = 0;
let registrations = 0;

/** A broker on PostgreSQL, with what it is made of. */
export interface BrokerOnPostgres extends BrokerUnderTest {
  readonly broker: BrokerWithLanes;
  readonly url: string;
  readonly nodeId: string;
  readonly store: PostgresStore;
  readonly wire: Wire;
}

interface BrokerOptions {
  /** Default: a new database. */
  url?: string;
  /** Makes faults between the node and the database. */
  wrap?: (store: PostgresStore) => PostgresStore;
  /** Makes faults between the nodes. */
  wrapWire?: (wire: Wire) => Wire;
}

/** Opens a store, a wire and a broker. */
export async function openBroker(options: BrokerOptions = {}): Promise<BrokerOnPostgres> {
  const { wrap = (store) => store, wrapWire = (wire) => wire } = options;
  const url = options.url ?? (await (await sharedPostgres()).createDatabase());
  const nodeId = `node_${++nodes}`;
  const store = await openPostgres({ url, connections: 4, nodeId });
  const faults: unknown[] = [];
  const open = createNotifySessions(url, nodeId);
  const wire = await createNotifyWire({ open, nodeId, onFault: (error) => faults.push(error) });
  const made = await createBroker({ url, nodeId, store, wire: wrapWire(wire), faults }, wrap(store));
  return {
    ...made,
    async [Symbol.asyncDispose]() {
      await made[Symbol.asyncDispose]();
      await wire[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** A new broker on an open store, which stays open. */
export async function createBroker(
  {
    url,
    nodeId,
    store,
    wire,
    faults = [],
  }: Pick<BrokerOnPostgres, 'url' | 'nodeId' | 'store' | 'wire'> & { faults?: unknown[] },
  use: PostgresStore = store,
): Promise<BrokerOnPostgres> {
  const registration = createNodeRegistration({
    store,
    nodeId: `${nodeId}_${++registrations}`,
    leaseMs: 10_000,
    version: 'test',
  });
  const signalsThrough = await registration.register();
  const log = createPostgresLogStore(use, { nodeId, randomBytes });
  const broker = createBrokerWithLanes({
    log,
    store,
    registration,
    signalsThrough,
    wire,
    leases: createInProcessLeases(createManualClock()),
    isOutcomeUnknown,
    onFault: (error) => faults.push(error),
  });
  return {
    broker,
    faults,
    url,
    nodeId,
    store,
    wire,
    async trim(projectId, address, keep) {
      const through = await log.excessThrough(projectId, address, keep);
      while ((await log.trim([{ projectId, address, through }], 100)) > 0);
    },
    setLobby: (instance) => setLobby(store, instance),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}
