import { randomBytes as systemRandomBytes } from 'node:crypto';
import { type Audit } from '../audit.ts';
import { createInProcessBroker } from '../broker/broker-in-process.ts';
import { createBrokerWithLanes, type BrokerWithLanes } from '../broker/broker-with-lanes.ts';
import { type Broker } from '../broker/broker.ts';
import { createNodeRegistration, MAX_COMPARISON_MS } from '../broker/node-registration.ts';
import { createInProcessLeases } from '../broker/leases-in-process.ts';
import { createPostgresLeases } from '../broker/leases-postgres.ts';
import { createNotifyWire } from '../broker/wire-notify.ts';
import { type Wire } from '../broker/wire.ts';
import { createClockHistory, type ClockHistory } from '../clock-history.ts';
import { systemClock, type Clock } from '../clock.ts';
import { type Config, type Secrets } from '../config.ts';
import { type Disposer } from '../disposer.ts';
import { createIds, pooled, type NewId, type RandomBytes } from '../ids.ts';
import { auditLoggerOf, createLogger, type Logger } from '../logger.ts';
import { createLogStore } from '../messages/log/log-store.ts';
import { type SharedTime } from '../tokens/issue-clock.ts';
import { createPostgresLogStore } from '../messages/log/postgres-log-store.ts';
import { type RetentionLog } from '../messages/log/retention-log.ts';
import { createActivityFeed, type ActivityFeed } from '../observability/activity-feed.ts';
import { createDeliveryRecords, type DeliveryRecords } from '../observability/delivery-records.ts';
import { createDatabaseReading } from '../observability/database-reading.ts';
import { measureLoopLag } from '../observability/loop-lag.ts';
import { type NodeReading } from '../observability/node-reading.ts';
import { createStats, type Stats } from '../observability/stats.ts';
import { createNotifySessions } from '../store/notify-session.ts';
import { isOutcomeUnknown } from '../store/postgres-errors.ts';
import { openPostgres } from '../store/postgres.ts';
import { openSqlite } from '../store/sqlite.ts';
import { type PostgresStore, type Store } from '../store/store.ts';
import { VERSION } from '../version.ts';
import { createMetrics, type Metrics } from '../transport/metrics.ts';

/** Replacements for the system's clock, randomness and log, for tests and embedders. */
export interface Overrides {
  clock?: Clock;
  randomBytes?: RandomBytes;
  logger?: Logger;
}

/** The dependencies that every part of the domain shares. */
export interface Infrastructure {
  config: Config;
  clock: Clock;
  /** The clock for times that nodes compare with each other: corrected by that of the database. */
  sharedTime: SharedTime;
  clockHistory: ClockHistory;
  randomBytes: RandomBytes;
  newId: NewId;
  /** The id of this process in presence leases. */
  nodeId: string;
  logger: Logger;
  metrics: Metrics;
  stats: Stats;
  audit: Audit;
  activity: ActivityFeed;
  /** What this node remembers about deliveries. */
  deliveryRecords: DeliveryRecords;
  /** Reports an unexpected error to the operator. `errorId` is the id that the client received. */
  onFault: (error: unknown, errorId?: string) => void;
  store: Store;
  log: RetentionLog;
  /** Returns up to `limit` unused pages of the store to the disk. Returns the number of pages. */
  reclaimSpace: (limit: number) => number;
  broker: Broker;
  /** Closes the resources in reverse order of opening. */
  disposer: Disposer;
}

/** Opens the store and the broker. @throws UNAVAILABLE when another process uses the data folder or the database */
export async function openInfrastructure(
  config: Config,
  { databaseUrl }: Secrets,
  overrides: Overrides,
  disposer: Disposer,
): Promise<Infrastructure> {
  const { clock = systemClock, randomBytes = systemRandomBytes } = overrides;
  const newId = createIds(() => clock.now(), pooled(randomBytes));
  const nodeId = newId('node');
  const loopLag = disposer.use(measureLoopLag());
  const stats = disposer.use(createStats({ clock, nodeId, loopLag }));
  const metrics = disposer.use(createMetrics(stats));
  const logger = overrides.logger ?? disposer.use(createLogger(config, metrics.logLinesDropped)).logger;
  // The level of a logger that the embedder provides is the embedder's decision.
  const auditLogger = overrides.logger ?? auditLoggerOf(config, logger);
  const onFault: Infrastructure['onFault'] = (error, errorId) => {
    metrics.fault();
    logger.error({ err: error, errorId }, 'fault');
  };
  const clockHistory = createClockHistory(clock, (ms) =>
    logger.warn(
      { seconds: Math.round(ms / 1000) },
      'the system clock was set; messages are deleted by their age in elapsed time',
    ),
  );

  const storage = await (databaseUrl === undefined ? openEmbedded() : openDatabase(databaseUrl));
  const deliveryRecords = createDeliveryRecords(clock);
  const activity = disposer.use(
    createActivityFeed({ broker: storage.broker, records: deliveryRecords, clock, onFault }),
  );
  const audit: Audit = (entry) => {
    const { identity: _, ...line } = entry;
    auditLogger?.info({ audit: line }, entry.action);
    activity.report(entry);
  };

  function openEmbedded() {
    const store = disposer.use(
      openSqlite(config, (damage) =>
        logger.error({ damage }, 'a row of the store is damaged and is skipped; run “signalbox check”'),
      ),
    );
    const log = createLogStore(store, randomBytes);
    const readSize = () => ({ ...store.size(), messages: log.span() });
    metrics.observeStore(readSize);
    stats.observeStore(readSize);
    const leases = createInProcessLeases(clock);
    const broker = disposer.use(createInProcessBroker({ log, rows: store, leases, onFault }));
    const sharedTime = { now: () => clock.now(), maxDifferenceMs: 0 };
    return { store, log, broker, sharedTime, reclaimSpace: store.reclaimSpace };
  }

  async function openDatabase(url: string) {
    const connections = config.databaseConnections;
    const store = disposer.use(await openPostgres({ url, connections, nodeId }));
    const clusterMetrics = metrics.addCluster();
    const { leaseMs } = config;
    const keepsCommits = config.databaseFailover === 'synchronous';
    const registration = createNodeRegistration({ store, nodeId, leaseMs, version: VERSION, keepsCommits });
    // Before anything is read, so that every later change is signalled to this node.
    const signalsThrough = await registration.register();
    clusterMetrics.registered();
    // After the registration, so that the first reading counts this node.
    const readDatabase = createDatabaseReading(store);
    const readSize = () => {
      const reading = readDatabase();
      return reading && { ...reading, walBytes: undefined };
    };
    metrics.observeStore(readSize);
    stats.observeStore(readSize);
    const log = createPostgresLogStore(store, { nodeId, randomBytes });
    const leases = disposer.use(createPostgresLeases({ store, nodeOf: () => registration.id, onFault }));
    const wire = disposer.use(
      await createNotifyWire({ open: createNotifySessions(url, nodeId), nodeId, onFault }).catch(
        async (error: unknown) => {
          // The broker, which removes the registration when it is disposed, is not there yet. Changes on other nodes would wait for this one.
          await registration.remove().catch(onFault);
          throw error;
        },
      ),
    );
    const broker = disposer.use(
      createBrokerWithLanes({
        log,
        store,
        registration,
        signalsThrough,
        wire,
        leases,
        isOutcomeUnknown,
        onRegistered() {
          clusterMetrics.registered();
          return leases.reconcile();
        },
        onFenced(nodes) {
          clusterMetrics.fenced(nodes.length);
          logger.warn(
            { nodes },
            'nodes did not confirm a change in time and were fenced; they register again',
          );
        },
        onAppended: clusterMetrics.appended,
        onFault,
      }),
    );
    clusterMetrics.observe({ readDatabase, readNode: () => readNode({ store, wire, broker }) });
    const sharedTime = {
      now: () => Math.round(clock.now() - registration.clockOffset()),
      // The clock of each node is right to half of it.
      maxDifferenceMs: MAX_COMPARISON_MS,
    };
    // PostgreSQL's autovacuum does this.
    return { store, log, broker, sharedTime, reclaimSpace: () => 0 };
  }

  return {
    config,
    clock,
    clockHistory,
    randomBytes,
    newId,
    nodeId,
    logger,
    metrics,
    stats,
    audit,
    activity,
    deliveryRecords,
    onFault,
    ...storage,
    disposer,
  };
}

function readNode({
  store,
  wire,
  broker: { followers, problem },
}: {
  store: PostgresStore;
  wire: Wire;
  broker: BrokerWithLanes;
}): NodeReading {
  const { batches, batchMessages, repairs, repairedMessages } = followers.counts;
  const { sent, dropped, lost, ignored } = wire.counts;
  return {
    isSuspended: problem() !== undefined,
    isReceiving: wire.isReceiving,
    lag: followers.lag(),
    receivedBatches: batches,
    receivedMessages: batchMessages,
    repairs,
    repairedMessages,
    ephemeralDropped: followers.ephemeralDropped,
    notificationsSent: sent,
    notificationsDropped: dropped,
    notificationsLost: lost,
    notificationsIgnored: ignored,
    waitingStatements: store.waiting(),
  };
}
