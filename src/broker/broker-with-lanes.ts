import { type PostgresStore } from '../store/store.ts';
import { type AsyncLog, type IsOutcomeUnknown } from './async-log.ts';
import { type Broker } from './broker.ts';
import { createControlLog } from './control-log.ts';
import { createDelivery } from './delivery.ts';
import { createFollowers, type Followers } from './followers.ts';
import { Lane, type OnAppended } from './lane.ts';
import { type Leases } from './leases.ts';
import { ENDS_NO_RIGHTS, type Signal } from './signal.ts';
import { type NodeRegistration } from './node-registration.ts';
import { createPostgresNodes } from './nodes-postgres.ts';
import { type Wire } from './wire.ts';

export interface BrokerWithLanes extends Broker {
  /** How the node delivers the messages of all nodes, for metrics. */
  readonly followers: Pick<Followers, 'counts' | 'ephemeralDropped' | 'lag'>;
}

/**
 * See Broker. Implements the broker for nodes that share a log over a network: each project has a lane of batches, so a slow
 * append of one project delays no other, and a follower, which delivers the messages of all nodes in the order of the log.
 */
export function createBrokerWithLanes({
  log,
  store,
  registration,
  signalsThrough,
  wire,
  leases,
  isOutcomeUnknown,
  onRegistered = async () => undefined,
  onFenced = () => undefined,
  onAppended = () => undefined,
  onFault,
}: {
  log: AsyncLog;
  store: PostgresStore;
  registration: NodeRegistration;
  /** The number of the last signal when the node was registered. */
  signalsThrough: number;
  /** The other nodes. The caller disposes it, after the broker. */
  wire: Wire;
  leases: Leases;
  isOutcomeUnknown: IsOutcomeUnknown;
  /** Called after the node was registered again, under another id. */
  onRegistered?: () => Promise<void>;
  /** Called with the registrations of nodes that did not confirm a signal in time. */
  onFenced?: (nodes: readonly string[]) => void;
  /** Called after a batch of this node was appended to the log. */
  onAppended?: OnAppended;
  onFault: (error: unknown) => void;
}): BrokerWithLanes {
  const delivery = createDelivery(onFault, registration.holds);
  const controlLog = createControlLog({
    store,
    registration,
    through: signalsThrough,
    wire,
    apply(signal) {
      if (signal.kind === 'CHANNEL_DELETED') lanes.get(signal.projectId)?.rejectChannel(signal.channelId);
      const affecting = delivery.control(signal);
      if (ENDS_NO_RIGHTS.has(signal.kind)) return affecting;
      // Waiting publishes are authorized again before they are appended. A batch that is being appended is not, so wait for it.
      const appends = lanesOf(signal).flatMap((lane) => lane.appended(MAX_APPEND_MS) ?? []);
      if (appends.length === 0) return affecting;
      return Promise.all([affecting, ...appends]).then(([connections]) => connections);
    },
    reset: delivery.reset,
    onLook: delivery.resetIfMissed,
    onHistoryChanged: () => followers.restart(),
    onRegistered,
    onFenced,
    onFault,
  });
  const followers = createFollowers({ log, delivery, wire });
  const nodes = createPostgresNodes({ store, wire, nodeId: registration.nodeId, onFault });
  /** Lanes are kept: they hold the number of the last batch, and there are as many as projects that published. */
  const lanes = new Map<string, Lane>();

  function laneOf(projectId: string): Lane {
    const known = lanes.get(projectId);
    if (known) return known;
    const lane = new Lane(projectId, { log, followers, signals: controlLog, isOutcomeUnknown, onAppended });
    lanes.set(projectId, lane);
    return lane;
  }

  /** The lanes of the project of a signal; those of all projects if it has none. */
  function lanesOf({ projectId }: Signal): Lane[] {
    if (projectId === null) return [...lanes.values()];
    const lane = lanes.get(projectId);
    return lane ? [lane] : [];
  }

  /** What was read while the node was suspended may be for a connection that all other nodes have closed. */
  async function whenLive<T>(reading: Promise<T>): Promise<T> {
    const found = await reading;
    await controlLog.untilLive();
    return found;
  }

  return {
    async publish(draft, isStale) {
      await controlLog.untilLive();
      return new Promise((resolve, reject) =>
        laneOf(draft.projectId).add({ draft, isStale, resolve, reject }),
      );
    },
    head: log.head,
    positionAt: log.positionAt,
    holds: log.holds,
    read: (request) => whenLive(log.read(request)),
    readBack: (...range) => whenLive(log.readBack(...range)),
    trimmedThrough: (...address) => whenLive(log.trimmedThrough(...address)),
    expiredThrough: (...bounds) => whenLive(log.expiredThrough(...bounds)),
    listen: delivery.listen,
    follow: followers.follow,
    followers,
    control: controlLog.control,
    announce: controlLog.announce,
    problem: controlLog.problem,
    warning: () => warningOf(wire, followers.lag()),
    untilLive: controlLog.untilLive,
    leases,
    nodes,
    async [Symbol.asyncDispose]() {
      await Promise.all([...lanes.values()].map((lane) => lane.settled()));
      followers[Symbol.dispose]();
      nodes[Symbol.dispose]();
      await controlLog[Symbol.asyncDispose]();
    },
  };
}

/**
 * How long the confirmation of a signal waits for an append, in milliseconds. Less than the time after which the node would be
 * fenced: an append that takes longer is not worth all connections of the node. The log refuses an append that begins later than
 * `MAX_UNSEEN_MS` after the signal, so only one whose commit takes longer than the difference can follow.
 */
const MAX_APPEND_MS = 1500;

/** More messages than a burst leaves undelivered for a moment. */
const MAX_LAG = 10_000;

function warningOf({ isReceiving }: Wire, lag: number): string | undefined {
  if (!isReceiving)
    return 'The connection that receives notifications of other nodes is lost and is being opened again; until then, messages and changes of other nodes arrive up to 250 ms late.';
  if (lag > MAX_LAG) return `The node is ${lag} messages behind the log; it delivers them late.`;
  return undefined;
}
