import { createAutoSubscription } from '../channels/auto-subscription.ts';
import { isChannelChange } from '../channels/channel.ts';
import { createChannelStore } from '../channels/channel-store.ts';
import { createChannels } from '../channels/channels.ts';
import { createExplainPermission } from '../channels/explain.ts';
import { createMemberships } from '../channels/memberships.ts';
import { createTokenSweeper, type TokenSweeper } from '../channels/token-sweeper.ts';
import { API_KEY_ENV, type Secrets } from '../config.ts';
import { createApiKeys } from '../projects/api-keys.ts';
import { createProjects } from '../projects/projects.ts';
import { RateLimit } from '../rate-limit.ts';
import { type Domain } from '../schema/context.ts';
import { createAuthenticate } from '../tokens/authenticate.ts';
import { createCallerLoader } from '../tokens/caller-loader.ts';
import { createCredentials } from '../tokens/credentials.ts';
import { createMintDevelopmentToken } from '../tokens/development-tokens.ts';
import { createExternalCredentials, DEVELOPMENT_ISSUER } from '../tokens/external-credentials.ts';
import { createGuests } from '../tokens/guests.ts';
import { createStreamTickets } from '../tokens/stream-tickets.ts';
import { createIssueClock } from '../tokens/issue-clock.ts';
import { createIssuers } from '../tokens/issuers/issuers.ts';
import { createProviders } from '../tokens/issuers/jwks.ts';
import { createOlderStoreError } from '../tokens/older-store.ts';
import { createProvisioning } from '../tokens/provisioning.ts';
import { createRevocations } from '../tokens/revocations.ts';
import { createSigningKeys } from '../tokens/signing-keys.ts';
import { createTokens } from '../tokens/tokens.ts';
import { type Infrastructure } from './infrastructure.ts';
import { createResealSecrets } from '../tokens/sealed-secret-store.ts';
import { openVault } from './open-vault.ts';

/** The part of the domain that decides who may do what: projects, keys, tokens, channels and memberships. */
export interface AccessServices extends Pick<
  Domain,
  | 'projects'
  | 'apiKeys'
  | 'signingKeys'
  | 'resealSecrets'
  | 'authenticate'
  | 'issuers'
  | 'tokens'
  | 'guests'
  | 'streamTickets'
  | 'mintDevelopmentToken'
  | 'revocations'
  | 'explainPermission'
  | 'channels'
  | 'memberships'
> {
  /** The first API key, if this start generated it. */
  firstApiKey: string | undefined;
  /** Sentences for the operator about what this start found. */
  warnings: readonly string[];
  tokenSweeper: TokenSweeper;
}

/** @throws UNAVAILABLE when the master key does not decrypt the data folder */
export async function composeAccess(
  infrastructure: Infrastructure,
  secrets: Secrets,
): Promise<AccessServices> {
  const {
    config,
    clock,
    sharedTime,
    clockHistory,
    newId,
    randomBytes,
    store,
    broker,
    audit,
    logger,
    onFault,
    disposer,
  } = infrastructure;
  const { announce } = broker;
  const logHead = async (projectId: string) => (await broker.head(projectId)).sequence;

  const vault = await openVault(infrastructure, secrets);
  const { hasAnyOf: hasChannelsOf } = createChannelStore(store);
  const isProduction = config.mode === 'production';
  const projects = createProjects({ store, clock, newId, isProduction, announce, hasChannelsOf });
  const { createdAt: storeCreatedAt } = await projects.ensureDefault();
  const olderStoreError = createOlderStoreError(storeCreatedAt, clock);
  const { settingsOf } = projects;
  const apiKeys = createApiKeys({ store, clock, newId, randomBytes, vault, announce });
  disposer.use(
    broker.listen({
      applySignal(signal) {
        if (signal.kind === 'PROJECT_UPDATED') projects.onSettingsChanged(signal.projectId, signal.settings);
        if (signal.kind === 'API_KEY_CHANGED') apiKeys.onKeyChanged(signal.apiKey);
        return 0;
      },
      reset() {
        projects.invalidateAll();
        apiKeys.invalidateAll();
      },
    }),
  );
  const { firstApiKey, otherOperatorKeys } = await apiKeys.bootstrap(secrets.apiKey);
  const warnings = otherOperatorKeys.map(
    ({ id }) =>
      `The operator key ${id} is valid beside the key of ${API_KEY_ENV}. If it was lost or replaced, end it: mutation { revokeApiKey(id: "${id}") { id } }`,
  );
  for (const warning of warnings) logger.warn(warning);

  const signingKeys = createSigningKeys({ store, clock, newId, randomBytes, vault, announce });
  const issueClock = await createIssueClock(store, sharedTime);
  const credentials = createCredentials({ keys: signingKeys, issueClock, olderStoreError, clock, newId });
  const credentialRate = new RateLimit(clock, config.credentialsPerSecond, 'credentials');
  const tokens = createTokens({
    store,
    credentials,
    settingsOf,
    clock,
    newId,
    config,
    credentialRate,
    announce,
    audit,
  });
  const callerLoader = createCallerLoader({ store, settingsOf, clock });
  const guestRate = new RateLimit(clock, config.guestsPerSecond, 'guests from your address');
  const guests = createGuests({ store, credentials, settingsOf, clock, newId, guestRate, audit });

  const channels = createChannels({ store, settingsOf, clock, newId, config, announce, audit, logHead });
  const { access, find: findChannel, serialize } = channels;
  disposer.use(
    broker.listen({
      applySignal(signal) {
        if (isChannelChange(signal)) channels.onChannelChanged(signal);
        if (signal.kind === 'SIGNING_KEYS_ROTATED') signingKeys.invalidateAll();
        if (signal.kind === 'TOKENS_REVOKED') issueClock.advance(signal.revocation.issuedBefore);
        return 0;
      },
      reset() {
        channels.invalidateAll();
        signingKeys.invalidateAll();
        void issueClock.refresh().catch(onFault);
      },
    }),
  );
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
    rateLimit: new RateLimit(clock, config.changesPerSecondPerToken, 'changes of memberships by this token'),
    onFault,
  });
  const tokenSweeper = disposer.use(
    createTokenSweeper({ store, tokens, clock, clockHistory, config, onFault }),
  );

  const allowsPrivateProviders = config.privateProviders === 'on';
  const issuers = createIssuers({
    store,
    apiKeys,
    vault,
    clock,
    newId,
    announce,
    audit,
    allowsPrivateProviders,
  });
  const autoSubscription = createAutoSubscription({ channels, memberships });
  const rootKeyIdOf = async (projectId: string, id: string) =>
    (await apiKeys.rootKeyIdOf(projectId, id)) ??
    (id === DEVELOPMENT_ISSUER || (await issuers.has(projectId, id)) ? id : undefined);
  const revocations = createRevocations({
    store,
    rootKeyIdOf,
    clock,
    cutOff: issueClock.cutOff,
    announce,
    audit,
  });
  const externalCredentials = createExternalCredentials({
    issuers,
    providers: createProviders({
      clock,
      allowsPrivateAddress: allowsPrivateProviders,
      onFetchFailed: (url, error) => logger.warn({ url, err: error }, 'failed to fetch provider keys'),
    }),
    provisioning: createProvisioning({ store, clock, newId, audit, autoSubscription, revocations }),
    settingsOf,
    clock,
    config,
    olderStoreError,
    developmentTokenRate: new RateLimit(clock, config.credentialsPerSecond, 'development tokens'),
  });
  const authenticate = createAuthenticate({
    untilLive: broker.untilLive,
    maxCredentialBytes: config.maxCredentialBytes,
    apiKeys,
    credentials,
    externalCredentials,
    revocations,
    callerLoader,
    tokens,
    clock,
  });

  return {
    firstApiKey,
    warnings,
    tokenSweeper,
    projects,
    apiKeys,
    signingKeys,
    resealSecrets: createResealSecrets({ store, vault }),
    authenticate,
    issuers,
    tokens,
    guests,
    streamTickets: createStreamTickets({ authenticate, clock, randomBytes }),
    mintDevelopmentToken: createMintDevelopmentToken(settingsOf),
    revocations,
    explainPermission: createExplainPermission({ tokens, callerLoader, access, revocations, clock }),
    channels,
    memberships,
  };
}
