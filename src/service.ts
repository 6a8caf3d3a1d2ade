import { randomBytes as nodeRandomBytes } from 'node:crypto';
import { pino, type Logger } from 'pino';
import { type Audit } from './audit.ts';
import { createInProcessBroker } from './broker/broker-in-process.ts';
import { createInProcessLeases } from './broker/leases-in-process.ts';
import { type Signal } from './broker/signal.ts';
import { createChannels } from './channels/channels.ts';
import { createMemberships } from './channels/memberships.ts';
import { systemClock, type Clock } from './clock.ts';
import { type Config, type Secrets } from './config.ts';
import { createConnections } from './connections/connections.ts';
import { createWatch } from './connections/watch.ts';
import { createIds, type RandomBytes } from './ids.ts';
import { createCursors } from './messages/cursor.ts';
import { createHearers } from './messages/hearers.ts';
import { createHistory } from './messages/history.ts';
import { createSharedEvents } from './messages/inbox.ts';
import { createLogStore } from './messages/log-store.ts';
import { createMessages } from './messages/messages.ts';
import { createRetention, type Retention } from './messages/retention.ts';
import { createPresence } from './presence/presence.ts';
import { createApiKeys } from './projects/api-keys.ts';
import { createProjects } from './projects/projects.ts';
import { RateLimit } from './rate-limit.ts';
import { type Domain } from './schema/context.ts';
import { readSecret } from './store/secret-store.ts';
import { openSqlite } from './store/sqlite.ts';
import { createAuthenticate } from './tokens/authenticate.ts';
import { createCredentials } from './tokens/credentials.ts';
import { createSigningKeys } from './tokens/signing-keys.ts';
import { createTokens } from './tokens/tokens.ts';
import { createMetrics } from './transport/metrics.ts';
import { openTransport } from './transport/transport.ts';

/** What tests and embedders may put in place of the real thing. */
export interface Overrides {
  clock?: Clock;
  randomBytes?: RandomBytes;
  logger?: Logger;
}

/** A running Signalbox. Disposing drains it; what was acknowledged is kept. */
export interface Service extends AsyncDisposable {
  /** `http://<host>:<port>` */
  readonly url: string;
  /** The first API key, when it was made at this start: it is shown this once. */
  readonly firstApiKey: string | undefined;
  readonly domain: Domain;
  readonly retention: Retention;
}

/**
 * Puts everything together and opens the doors. Owners are closed in the reverse of the order in which they were opened.
 * @throws UNAVAILABLE when the data folder is in use; whatever listening throws when the port is
 */
export async function startService(
  config: Config,
  secrets: Secrets = {},
  overrides: Overrides = {},
): Promise<Service> {
  const { clock = systemClock, randomBytes = nodeRandomBytes } = overrides;
  const logger = overrides.logger ?? createLogger(config);
  await using owned = new Owned();

  const newId = createIds(() => clock.now(), randomBytes);
  const nodeId = newId('node');
  const metrics = owned.add(createMetrics());
  const onFault = (error: unknown, errorId?: string) => {
    metrics.fault();
    logger.error({ err: error, errorId }, 'fault');
  };
  const audit: Audit = (entry) => logger.info({ audit: entry }, entry.action);

  const store = owned.add(openSqlite(config));
  const log = createLogStore(store, randomBytes);
  const broker = owned.add(createInProcessBroker({ log, leases: createInProcessLeases(clock), onFault }));
  const announce = (signal: Signal) => broker.control(signal);
  const logHead = async (projectId: string) => (await broker.head(projectId)).sequence;

  const projects = createProjects({ store, clock, newId });
  await projects.ensureDefault();
  const apiKeys = createApiKeys({ store, clock, newId, randomBytes, announce });
  const firstApiKey = await apiKeys.bootstrap(secrets.apiKey);

  const signingKeys = createSigningKeys({ store, clock, newId, randomBytes });
  const credentials = createCredentials({ keys: signingKeys, clock, newId });
  const mints = new RateLimit(clock, config.mintsPerSecond, 'credentials');
  const tokens = createTokens({ store, credentials, clock, newId, config, mints, announce, audit });
  const authenticate = createAuthenticate({ apiKeys, credentials, tokens, clock });

  const channels = createChannels({ store, clock, newId, config, announce, audit, logHead });
  const { find: findChannel, inTurn } = channels;
  const memberships = createMemberships({
    store,
    tokens,
    findChannel,
    inTurn,
    clock,
    config,
    announce,
    audit,
    logHead,
  });

  const connections = owned.add(
    createConnections({ broker, authenticate, clock, newId, config, nodeId, onFault }),
  );
  const watch = owned.add(createWatch({ broker, onFault }));
  const { access } = channels;
  const limits = {
    perToken: new RateLimit(clock, config.publishesPerSecondPerToken, 'publishes by this token'),
    perKey: new RateLimit(clock, config.publishesPerSecondPerKey, 'publishes by this API key'),
  };
  const presence = owned.add(
    await createPresence({ broker, access, clock, config, nodeId, rate: limits.perToken, onFault }),
  );

  const hearers = owned.add(createHearers({ broker, clock, onFault }));
  const cursors = createCursors(await readSecret(store, 'cursors', () => randomBytes(32)));
  const { published, replayed } = metrics;
  const messages = createMessages({ broker, access, tokens, clock, newId, config, limits, published });
  const history = createHistory({
    broker,
    access,
    cursors,
    maxPageBytes: PAGE_OF_LARGEST * config.maxDataBytes,
  });
  const retention = owned.add(createRetention({ log, broker, findChannel, clock, config, onFault }));
  const shared = createSharedEvents(clock);
  const streams = { broker, hearers, watch, presence, cursors, memberships, clock, shared, replayed };

  const domain: Domain = {
    projects,
    apiKeys,
    signingKeys,
    authenticate,
    tokens,
    channels,
    memberships,
    messages,
    history,
    presence,
    connections,
    cursors,
    broker,
    watch,
    streams,
    audit,
  };
  const transport = owned.add(await openTransport({ domain, config, clock, newId, metrics, onFault }));
  const running = owned.release();

  return {
    url: transport.url,
    firstApiKey,
    domain,
    retention,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** How many of the largest messages fit on one page of history. */
const PAGE_OF_LARGEST = 8;

/** Structured lines on standard output. Nothing secret is ever handed to it; redaction is the second lock. */
export function createLogger(config: Config): Logger {
  return pino({
    level: config.logLevel,
    redact: {
      paths: [
        'credential',
        'secret',
        'apiKey',
        'token',
        'authorization',
        '*.credential',
        '*.secret',
        '*.apiKey',
        '*.token',
        '*.authorization',
      ],
      censor: '[redacted]',
    },
  });
}

/** What was opened so far; closes it all, last first, when something fails on the way. */
class Owned implements AsyncDisposable {
  #opened: (Disposable | AsyncDisposable)[] = [];

  add<T extends Disposable | AsyncDisposable>(owner: T): T {
    this.#opened.push(owner);
    return owner;
  }

  /** Hands all of it over to whoever asks. */
  release(): Owned {
    const released = new Owned();
    released.#opened = this.#opened;
    this.#opened = [];
    return released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const owner of this.#opened.splice(0).reverse()) {
      if (Symbol.asyncDispose in owner) await owner[Symbol.asyncDispose]();
      else owner[Symbol.dispose]();
    }
  }
}
