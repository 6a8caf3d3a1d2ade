import { type TokenSweeper } from './channels/token-sweeper.ts';
import { composeAccess } from './compose/access.ts';
import { openInfrastructure, type Overrides } from './compose/infrastructure.ts';
import { composeMessaging } from './compose/messaging.ts';
import { defaultConfig, readConfig, type Config, type Secrets } from './config.ts';
import { Disposer } from './disposer.ts';
import { type Retention } from './messages/retention.ts';
import { type Domain } from './schema/context.ts';
import { descriptorWarning } from './transport/file-descriptors.ts';
import { createRefusals } from './observability/refusals.ts';
import { openTransport } from './transport/transport.ts';

export type { Config, Overrides, Secrets };
export { defaultConfig, readConfig };

/** A running Signalbox. Disposing it drains the transport, then closes the broker and the store. */
export interface Service extends AsyncDisposable {
  /** `http://<host>:<port>` */
  readonly url: string;
  /** The first API key, if this start generated it. It cannot be shown again. */
  readonly firstApiKey: string | undefined;
  /** Sentences for the operator about what this start found, for example a key that can be guessed. */
  readonly warnings: readonly string[];
  readonly domain: Domain;
  readonly retention: Retention;
  readonly tokenSweeper: TokenSweeper;
  /** From now on `/ready` answers 503; everything else continues as usual until the service is disposed. */
  announceDrain(): void;
}

/**
 * Opens the store and the broker, composes the domain and opens the transport. Resources are closed in the reverse order
 * of opening, also if a later step fails.
 * @throws UNAVAILABLE when another process uses the data folder or the database, or the master key is missing
 * @throws the error of `listen`, for example EADDRINUSE
 *
 * @example
 * import { defaultConfig, startService } from 'signalbox';
 *
 * await using service = await startService(defaultConfig({ port: 0, data: ':memory:' }));
 * console.log(service.url);
 */
export async function startService(
  config: Config,
  secrets: Secrets = {},
  overrides: Overrides = {},
): Promise<Service> {
  await using disposer = new Disposer();
  const infrastructure = await openInfrastructure(config, secrets, overrides, disposer);
  const { firstApiKey, warnings, tokenSweeper, ...access } = await composeAccess(infrastructure, secrets);
  const fewDescriptors = descriptorWarning(config);
  if (fewDescriptors !== undefined) infrastructure.logger.warn(fewDescriptors);
  const { retention, ...messaging } = await composeMessaging(infrastructure, access);

  const { clock, newId, metrics, stats, activity, onFault, broker, audit, store, logger } = infrastructure;
  const refusals = disposer.use(createRefusals({ audit, config, clock, onRefused: metrics.refused }));
  const domain: Domain = {
    ...access,
    ...messaging,
    broker,
    audit,
    stats,
    activity,
    refusals,
    storage: store,
  };
  const transport = disposer.use(
    await openTransport({
      domain,
      config,
      clock,
      newId,
      metrics,
      onFault,
      onMachineProblem: (sentence, isOver) => (isOver ? logger.warn(sentence) : logger.error(sentence)),
    }).catch(async (error: unknown) => {
      if (firstApiKey !== undefined) await access.apiKeys.discardBootstrapKey(firstApiKey);
      throw error;
    }),
  );
  const resources = disposer.move();

  return {
    url: transport.url,
    firstApiKey,
    warnings: fewDescriptors === undefined ? warnings : [...warnings, fewDescriptors],
    domain,
    retention,
    tokenSweeper,
    announceDrain: transport.announceDrain,
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}
