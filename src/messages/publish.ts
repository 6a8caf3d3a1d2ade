import { type Broker, type Published } from '../broker/broker.ts';
import { RightsChanged } from '../broker/delivery.ts';
import { channelAddress, type Draft } from '../broker/message.ts';
import { type Access, type ChannelAccess } from '../channels/access.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { type RightsWatch, type RightsWatches } from '../connections/rights-watch.ts';
import { SignalboxError, unavailable } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { type RateLimit } from '../rate-limit.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { createDrafts, type PublishInput } from './draft.ts';
import { createPublishAll, type PublishAll } from './publish-batch.ts';
import { createPublishDirect, type PublishDirect } from './publish-direct.ts';

export interface Publisher {
  /**
   * Publishes a message to a channel. When this resolves, the message is in the log (unless it is ephemeral) and has been
   * delivered to the live subscribers of the channel.
   * @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND unless the caller may PUBLISH to the channel
   * @throws RATE_LIMITED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT
   * @throws CONFLICT when the idempotency key was used for a different message
   * @throws UNAVAILABLE when the log cannot be written
   */
  publish(caller: Caller, channelId: string, input: PublishInput): Promise<Published>;
  /**
   * Publishes up to MAX_PUBLISHES messages to channels, in order. A message that is refused is reported in its outcome, at
   * the same index, and holds back no other message. Each message counts against the rate limit. The messages may be divided
   * among several transactions of the log; if one of them fails, the outcomes of its messages are UNAVAILABLE.
   * @throws LIMIT_EXCEEDED for more messages, BAD_USER_INPUT for none
   * @throws UNAVAILABLE when the log cannot be written and no message is known to be published
   */
  publishAll: PublishAll;
  /**
   * Publishes a direct message to a token, to all tokens of an identity, or to one live connection. Messages to a
   * connection are never logged. Requires an API key; a token may send to a connection where the project setting
   * `publishersSignal` is on.
   * @throws as `publish`
   * @throws NOT_FOUND when the token, identity or live connection does not exist
   * @throws TOKEN_REVOKED when the recipient token was revoked
   * @example
   * await publisher.publishDirect(caller, { identity: 'ada' }, { event: 'reminder', data: { at: '10:00' } });
   */
  publishDirect: PublishDirect;
}

/** How often a publisher is authorized before its message fails, because its rights changed while the message waited. */
const MAX_ATTEMPTS = 5;

export function createPublisher(deps: {
  broker: Broker;
  access: Access;
  tokens: Tokens;
  clock: Clock;
  newId: NewId;
  config: Config;
  limits: { perToken: RateLimit; perKey: RateLimit };
  rights: RightsWatches;
  /** The caller with its current rights. @throws as an authentication */
  refresh: (caller: Caller) => Promise<Caller>;
  /** Called after each successful publish with its project and duration, for metrics. */
  published: (projectId: string, seconds: number) => void;
  /** Called with the failures of the log that only outcomes of a batch report. */
  onFault: (error: unknown) => void;
}): Publisher {
  const { broker, access, limits, published, rights, refresh } = deps;
  const createDraft = createDrafts(deps);

  /** Called before any lookup, so that rejected publishes count against the rate limit too. */
  function takeFromRateLimit(caller: Caller): void {
    if (caller.kind === 'API_KEY') limits.perKey.take(caller.apiKey.id);
    else if (caller.kind === 'TOKEN') limits.perToken.take(caller.token.id);
  }

  /**
   * Publishes by the current rights of the caller: calls `work` again when they may have changed since it authorized the caller, because
   * the message had to wait.
   * @param isCurrent whether the caller is known to be current
   */
  async function byCurrentRights<T>(
    caller: Caller,
    work: (caller: Caller, watch: RightsWatch) => Promise<T>,
    isCurrent = true,
  ): Promise<T> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const watch = rights.begin(caller);
      try {
        return await work(isCurrent && attempt === 1 ? caller : await refresh(caller), watch);
      } catch (error) {
        if (!(error instanceof RightsChanged)) throw error;
      } finally {
        watch[Symbol.dispose]();
      }
    }
    throw unavailable('The rights of the publisher changed during each attempt to publish. Try again.');
  }

  /** @throws RightsChanged when the rights of the publisher may have changed */
  async function publishDraft(draft: Draft, watch: RightsWatch): Promise<Published> {
    const startedAt = performance.now();
    const result = await broker.publish(draft, () => watch.hasChanged);
    published(draft.projectId, (performance.now() - startedAt) / 1000);
    return result;
  }

  /** Publishes to a channel for which the caller was authorized. @throws RightsChanged */
  async function publishAuthorized(
    caller: Caller,
    draft: Draft,
    { channel: { id, createdAfter, createdAt, instance } }: ChannelAccess,
    watch: RightsWatch,
  ): Promise<Published> {
    draft.channel = { createdAfter, createdAt, instance };
    try {
      return await publishDraft(draft, watch);
    } catch (error) {
      // The channel was deleted while the message waited.
      if (error instanceof SignalboxError && error.code === 'NOT_FOUND')
        throw access.lost(caller, 'PUBLISH', id);
      throw error;
    }
  }

  const publishToChannel = (caller: Caller, draft: Draft, channelId: string, isCurrent = true) =>
    byCurrentRights(
      caller,
      async (current, watch) => {
        const channelAccess = await access.require(current, 'PUBLISH', channelId);
        return publishAuthorized(current, draft, channelAccess, watch);
      },
      isCurrent,
    );

  return {
    async publish(caller, channelId, input) {
      takeFromRateLimit(caller);
      return publishToChannel(caller, createDraft(caller, channelAddress(channelId), input), channelId);
    },
    publishAll: createPublishAll({
      ...deps,
      createDraft,
      takeFromRateLimit,
      async publishToChannel(caller, draft, channelAccess, watch) {
        try {
          return await publishAuthorized(caller, draft, channelAccess, watch);
        } catch (error) {
          if (!(error instanceof RightsChanged)) throw error;
          return publishToChannel(caller, draft, channelAccess.channel.id, false);
        }
      },
    }),
    publishDirect: createPublishDirect({
      ...deps,
      createDraft,
      takeFromRateLimit,
      byCurrentRights,
      publishDraft,
    }),
  };
}
