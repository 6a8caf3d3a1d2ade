import { createConnections } from '../connections/registry.ts';
import { createRightsWatches } from '../connections/rights-watch.ts';
import { createCursors } from '../messages/cursor.ts';
import { createHistory } from '../messages/history.ts';
import { createPublisher } from '../messages/publish.ts';
import { createRetention, type Retention } from '../messages/retention.ts';
import { createModeration } from '../moderation/moderation.ts';
import { createExplainDelivery } from '../observability/explain-delivery.ts';
import { createPresence } from '../presence/presence.ts';
import { RateLimit } from '../rate-limit.ts';
import { type Domain } from '../schema/context.ts';
import { readSecret } from '../secrets/secret-store.ts';
import { createSubscriptions } from '../subscriptions/subscriptions.ts';
import { createRestrictions } from '../tokens/restrictions.ts';
import { type Infrastructure } from './infrastructure.ts';

/** A page of history holds at least this many messages, even if each has the maximum size. */
const MAX_SIZE_MESSAGES_PER_PAGE = 8;

/** The part of the domain that carries messages: connections, presence, publishing, subscriptions and moderation. */
export interface MessagingServices extends Pick<
  Domain,
  | 'explainDelivery'
  | 'connections'
  | 'rights'
  | 'presence'
  | 'cursors'
  | 'messages'
  | 'history'
  | 'moderation'
  | 'subscriptions'
> {
  retention: Retention;
}

export async function composeMessaging(
  infrastructure: Infrastructure,
  {
    authenticate,
    tokens,
    channels,
    memberships,
  }: Pick<Domain, 'authenticate' | 'tokens' | 'channels' | 'memberships'>,
): Promise<MessagingServices> {
  const {
    config,
    clock,
    clockHistory,
    newId,
    nodeId,
    randomBytes,
    metrics,
    stats,
    activity,
    deliveryRecords: records,
    audit,
    onFault,
    store,
    log,
    reclaimSpace,
    broker,
    disposer,
  } = infrastructure;
  const { access, find: findChannel } = channels;
  const { published, replayed, gap } = metrics;
  const { announce } = broker;

  const rights = disposer.use(createRightsWatches(broker));
  const connections = disposer.use(
    createConnections({
      broker,
      authenticate,
      rights,
      clock,
      newId,
      config,
      nodeId,
      onChange(change) {
        activity.reportConnection(change);
        records.connectionChanged(change);
      },
      onFault,
    }),
  );
  stats.observeConnections(() => connections.countByProject);
  const limits = {
    perToken: new RateLimit(clock, config.publishesPerSecondPerToken, 'publishes by this token'),
    perKey: new RateLimit(clock, config.publishesPerSecondPerKey, 'publishes by this API key'),
  };
  const changesOf = (noun: string) => new RateLimit(clock, config.changesPerSecondPerToken, noun);
  const presence = disposer.use(
    await createPresence({
      broker,
      access,
      clock,
      config,
      nodeId,
      rateLimit: limits.perToken,
      rejoinRate: changesOf('joins of channels after leaving one'),
      onFault,
    }),
  );

  const cursors = createCursors(await readSecret(store, 'cursors', () => randomBytes(32)));
  const messages = createPublisher({
    broker,
    access,
    tokens,
    clock,
    newId,
    config,
    limits,
    rights,
    refresh: (caller) => authenticate.refresh(caller),
    published,
    onFault,
  });
  const maxPageBytes = MAX_SIZE_MESSAGES_PER_PAGE * config.maxDataBytes;
  const history = createHistory({ broker, access, cursors, clock, maxPageBytes });
  const restrictions = createRestrictions({ store, clock, newId, announce, audit });
  const moderation = createModeration({
    broker,
    access,
    tokens,
    restrictions,
    audit,
    rateLimit: changesOf('actions of moderation by this token'),
  });
  const retention = disposer.use(
    createRetention({
      log,
      broker,
      reclaimSpace,
      findChannel,
      clock,
      clockHistory,
      config,
      onPurged: metrics.purged,
      onFault,
    }),
  );
  const subscriptions = disposer.use(
    createSubscriptions({
      broker,
      access,
      presence,
      cursors,
      memberships,
      clock,
      replayed,
      gap,
      recorder: records.recorder,
      onFault,
    }),
  );

  const { explain: explainDelivery } = disposer.use(
    createExplainDelivery({
      records,
      broker,
      nodeId,
      connections,
      tokens,
      restrictionsOf: restrictions.inForce,
    }),
  );

  return {
    explainDelivery,
    connections,
    rights,
    presence,
    cursors,
    messages,
    history,
    moderation,
    retention,
    subscriptions,
  };
}
