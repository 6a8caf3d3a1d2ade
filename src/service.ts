import { randomBytes as nodeRandomBytes } from 'node:crypto';
import { pino, type Logger } from 'pino';
import { type Audit } from './audit.ts';
import { createInProcessBroker } from './broker/broker-in-process.ts';
import { createInProcessLeases } from './broker/leases-in-process.ts';
import { type Signal } from './broker/signal.ts';
import { createChannelStore } from './channels/channel-store.ts';
import { createChannels } from './channels/channels.ts';
import { createAutoSubscription } from './channels/auto-subscription.ts';
import { createExplainPermission } from './channels/explain.ts';
import { createTokenSweeper, type TokenSweeper } from './channels/token-sweeper.ts';
import { createMemberships } from './channels/memberships.ts';
import { systemClock, type Clock } from './clock.ts';
import { MASTER_KEY_ENV, type Config, type Secrets } from './config.ts';
import { createConnections } from './connections/registry.ts';
import { SignalboxError } from './errors.ts';
import { createIds, pooled, type RandomBytes } from './ids.ts';
import { createCursors } from './messages/cursor.ts';
import { createHistory } from './messages/history.ts';
import { createSubscriptions } from './subscriptions/subscriptions.ts';
import { createLogStore } from './messages/log/log-store.ts';
import { createMessages } from './messages/publish.ts';
import { createRetention, type Retention } from './messages/retention.ts';
import { createModeration } from './moderation/moderation.ts';
import { createPresence } from './presence/presence.ts';
import { createApiKeys } from './projects/api-keys.ts';
import { createProjects } from './projects/projects.ts';
import { createJweVault, type Vault } from './secrets/vault.ts';
import { RateLimit } from './rate-limit.ts';
import { type Domain } from './schema/context.ts';
import { readMasterKeys } from './secrets/master-key.ts';
import { readSecret } from './secrets/secret-store.ts';
import { openSqlite } from './store/sqlite.ts';
import { type Store } from './store/store.ts';
import { createAuthenticate } from './tokens/authenticate.ts';
import { createCredentials } from './tokens/credentials.ts';
import { createMintDevelopmentToken } from './tokens/development-tokens.ts';
import { createGuests } from './tokens/guests.ts';
import { createIssuers } from './tokens/issuers/issuers.ts';
import { createProviders } from './tokens/issuers/jwks.ts';
import { createProvisioning } from './tokens/provisioning.ts';
import { createRestrictions } from './tokens/restrictions.ts';
import { createRevocations } from './tokens/revocations.ts';
import { createExternalCredentials, DEVELOPMENT_ISSUER } from './tokens/external-credentials.ts';
import { createSigningKeys } from './tokens/signing-keys.ts';
import { createCallerLoader } from './tokens/caller-loader.ts';
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
  readonly tokenSweeper: TokenSweeper;
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

  const newId = createIds(() => clock.now(), pooled(randomBytes));
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

  const vault = createJweVault(readMasterKeys(config.data, secrets.masterKeys ?? [], () => randomBytes(32)));
  await checkVault(vault, store);
  const { hasAnyOf: hasChannelsOf } = createChannelStore(store);
  const isProduction = config.mode === 'production';
  const projects = createProjects({ store, clock, newId, isProduction, announce, hasChannelsOf });
  await projects.ensureDefault();
  const { settingsOf } = projects;
  const apiKeys = createApiKeys({ store, clock, newId, randomBytes, vault, announce });
  owned.add(
    broker.listen({
      applySignal(signal) {
        if (signal.kind === 'PROJECT_UPDATED') projects.onSettingsChanged(signal.projectId, signal.settings);
        if (signal.kind === 'API_KEY_CHANGED') apiKeys.onKeyChanged(signal.apiKey);
        return 0;
      },
    }),
  );
  const firstApiKey = await apiKeys.bootstrap(secrets.apiKey);

  const signingKeys = createSigningKeys({ store, clock, newId, randomBytes, vault });
  const credentials = createCredentials({ keys: signingKeys, clock, newId });
  const mints = new RateLimit(clock, config.mintsPerSecond, 'credentials');
  const tokens = createTokens({
    store,
    credentials,
    settingsOf,
    clock,
    newId,
    config,
    mints,
    announce,
    audit,
  });
  const callerLoader = createCallerLoader({ store, settingsOf, clock });
  const arrivals = new RateLimit(clock, config.guestsPerSecond, 'guests from your address');
  const guests = createGuests({ store, credentials, settingsOf, clock, newId, arrivals, audit });

  const channels = createChannels({ store, settingsOf, clock, newId, config, announce, audit, logHead });
  const { find: findChannel, serialize } = channels;
  const memberships = createMemberships({
    store,
    tokens,
    callerLoader,
    findChannel,
    serialize,
    clock,
    config,
    announce,
    audit,
    logHead,
  });

  const tokenSweeper = owned.add(createTokenSweeper({ store, tokens, clock, config, onFault }));

  const issuers = createIssuers({ store, apiKeys, vault, clock, newId, announce, audit });
  const autoSubscription = createAutoSubscription({ channels, memberships });
  const rootKeyIdOf = async (projectId: string, id: string) =>
    (await apiKeys.rootKeyIdOf(projectId, id)) ??
    (id === DEVELOPMENT_ISSUER || (await issuers.has(projectId, id)) ? id : undefined);
  const revocations = createRevocations({ store, rootKeyIdOf, clock, announce, audit });
  const externalCredentials = createExternalCredentials({
    issuers,
    providers: createProviders({
      clock,
      onFetchFailed: (url, error) => logger.warn({ url, err: error }, 'provider does not answer'),
    }),
    provisioning: createProvisioning({ store, clock, newId, audit, autoSubscription, revocations }),
    settingsOf,
    clock,
    config,
    firstUses: new RateLimit(clock, config.mintsPerSecond, 'development tokens'),
  });
  const authenticate = createAuthenticate({
    apiKeys,
    credentials,
    externalCredentials,
    revocations,
    callerLoader,
    tokens,
    clock,
  });

  const connections = owned.add(
    createConnections({ broker, authenticate, clock, newId, config, nodeId, onFault }),
  );
  const { access } = channels;
  const limits = {
    perToken: new RateLimit(clock, config.publishesPerSecondPerToken, 'publishes by this token'),
    perKey: new RateLimit(clock, config.publishesPerSecondPerKey, 'publishes by this API key'),
  };
  const presence = owned.add(
    await createPresence({ broker, access, clock, config, nodeId, rate: limits.perToken, onFault }),
  );

  const cursors = createCursors(await readSecret(store, 'cursors', () => randomBytes(32)));
  const { published, replayed } = metrics;
  const messages = createMessages({ broker, access, tokens, clock, newId, config, limits, published });
  const history = createHistory({
    broker,
    access,
    cursors,
    maxPageBytes: PAGE_OF_LARGEST * config.maxDataBytes,
  });
  const moderation = createModeration({
    broker,
    access,
    tokens,
    restrictions: createRestrictions({ store, clock, newId, announce, audit }),
    audit,
  });
  const retention = owned.add(createRetention({ log, broker, findChannel, clock, config, onFault }));
  const subscriptions = owned.add(
    createSubscriptions({ broker, access, presence, cursors, memberships, clock, replayed, onFault }),
  );

  const domain: Domain = {
    projects,
    apiKeys,
    signingKeys,
    authenticate,
    issuers,
    tokens,
    guests,
    mintDevelopmentToken: createMintDevelopmentToken(settingsOf),
    revocations,
    explainPermission: createExplainPermission({ tokens, callerLoader, access, revocations, clock }),
    moderation,
    channels,
    memberships,
    messages,
    history,
    presence,
    connections,
    cursors,
    broker,
    subscriptions,
    audit,
  };
  const transport = owned.add(await openTransport({ domain, config, clock, newId, metrics, onFault }));
  const running = owned.release();

  return {
    url: transport.url,
    firstApiKey,
    domain,
    retention,
    tokenSweeper,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** @throws UNAVAILABLE when the store was written under another master key */
async function checkVault(vault: Vault, store: Store): Promise<void> {
  const sealed = await vault.seal(Buffer.from('signalbox'), 'check');
  const kept = await readSecret(store, 'vault', () => Buffer.from(sealed));
  try {
    await vault.open(Buffer.from(kept).toString(), 'check');
  } catch {
    throw new SignalboxError(
      'UNAVAILABLE',
      `The data folder was written under another master key. Set ${MASTER_KEY_ENV} to that one, or to a new one and that one, parted by a comma.`,
    );
  }
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
