import { randomBytes as systemRandomBytes } from 'node:crypto';
import { type Audit } from '../audit.ts';
import { createInProcessBroker } from '../broker/broker-in-process.ts';
import { type Broker } from '../broker/broker.ts';
import { createInProcessLeases } from '../broker/leases-in-process.ts';
import { createClockHistory, type ClockHistory } from '../clock-history.ts';
import { systemClock, type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { type Disposer } from '../disposer.ts';
import { createIds, pooled, type NewId, type RandomBytes } from '../ids.ts';
import { auditLoggerOf, createLogger, type Logger } from '../logger.ts';
import { createLogStore, type LogStore } from '../messages/log/log-store.ts';
import { openSqlite } from '../store/sqlite.ts';
import { type SqliteStore } from '../store/store.ts';
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
  clockHistory: ClockHistory;
  randomBytes: RandomBytes;
  newId: NewId;
  /** The id of this process in presence leases. */
  nodeId: string;
  logger: Logger;
  metrics: Metrics;
  audit: Audit;
  /** Reports an unexpected error to the operator. `errorId` is the id that the client received. */
  onFault: (error: unknown, errorId?: string) => void;
  store: SqliteStore;
  log: LogStore;
  broker: Broker;
  /** Closes the resources in reverse order of opening. */
  disposer: Disposer;
}

/** Opens the store and the broker. @throws UNAVAILABLE when another process uses the data folder */
export function openInfrastructure(config: Config, overrides: Overrides, disposer: Disposer): Infrastructure {
  const { clock = systemClock, randomBytes = systemRandomBytes } = overrides;
  const newId = createIds(() => clock.now(), pooled(randomBytes));
  const nodeId = newId('node');
  const metrics = disposer.use(createMetrics());
  const logger = overrides.logger ?? disposer.use(createLogger(config, metrics.logLinesDropped)).logger;
  // The level of a logger that the embedder provides is the embedder's decision.
  const auditLogger = overrides.logger ?? auditLoggerOf(config, logger);
  const onFault: Infrastructure['onFault'] = (error, errorId) => {
    metrics.fault();
    logger.error({ err: error, errorId }, 'fault');
  };
  const audit: Audit = (entry) => auditLogger?.info({ audit: entry }, entry.action);
  const clockHistory = createClockHistory(clock, (ms) =>
    logger.warn(
      { seconds: Math.round(ms / 1000) },
      'the system clock was set; messages are deleted by their age in elapsed time',
    ),
  );

  const store = disposer.use(
    openSqlite(config, (damage) =>
      logger.error({ damage }, 'a row of the store is damaged and is skipped; run “signalbox check”'),
    ),
  );
  const log = createLogStore(store, randomBytes);
  metrics.observeStore(() => ({ ...store.size(), messages: log.span() }));
  const leases = createInProcessLeases(clock);
  const broker = disposer.use(createInProcessBroker({ log, leases, onFault }));
  return {
    config,
    clock,
    clockHistory,
    randomBytes,
    newId,
    nodeId,
    logger,
    metrics,
    audit,
    onFault,
    store,
    log,
    broker,
    disposer,
  };
}
