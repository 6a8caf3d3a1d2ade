import { type PostgresStore } from '../store/store.ts';
import { type AsyncLog, type IsOutcomeUnknown } from './async-log.ts';
import { type Broker } from './broker.ts';
import { createControlLog } from './control-log.ts';
import { createDelivery } from './delivery.ts';
import { Lane } from './lane.ts';
import { type Leases } from './leases.ts';

/**
 * See Broker. Implements the broker for one node on a log that is reached over a network: each project has a lane of
 * batches, so a slow append of one project delays no other.
 */
export function createBrokerWithLanes({
  log,
  store,
  nodeId,
  leases,
  isOutcomeUnknown,
  onFault,
}: {
  log: AsyncLog;
  store: PostgresStore;
  nodeId: string;
  leases: Leases;
  isOutcomeUnknown: IsOutcomeUnknown;
  onFault: (error: unknown) => void;
}): Broker {
  const delivery = createDelivery(onFault);
  const controlLog = createControlLog({ store, nodeId, apply: delivery.control, onFault });
  /** Lanes are kept: they hold the number of the last batch, and there are as many as projects that published. */
  const lanes = new Map<string, Lane>();

  function laneOf(projectId: string): Lane {
    const known = lanes.get(projectId);
    if (known) return known;
    const lane = new Lane(projectId, { log, delivery, isOutcomeUnknown });
    lanes.set(projectId, lane);
    return lane;
  }

  return {
    publish: (draft) =>
      new Promise((resolve, reject) => laneOf(draft.projectId).add({ draft, resolve, reject })),
    head: log.head,
    positionAt: log.positionAt,
    holds: log.holds,
    read: log.read,
    readBack: log.readBack,
    trimmedThrough: log.trimmedThrough,
    expiredThrough: log.expiredThrough,
    listen: delivery.listen,
    control: controlLog.control,
    announce: controlLog.announce,
    leases,
    async [Symbol.asyncDispose]() {
      await controlLog[Symbol.asyncDispose]();
      await Promise.all([...lanes.values()].map((lane) => lane.settled()));
    },
  };
}
