import { type Broker, type Published } from '../broker/broker.ts';
import { channelAddress, type Draft } from '../broker/message.ts';
import { type Access, type ChannelAccess } from '../channels/access.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { type Audit } from '../audit.ts';
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

export function createPublisher(deps: {
  broker: Broker;
  access: Access;
  tokens: Tokens;
  clock: Clock;
  newId: NewId;
  config: Config;
  limits: { perToken: RateLimit; perKey: RateLimit };
  /** Called after each successful publish with its project and duration, for metrics. */
  published: (projectId: string, seconds: number) => void;
  audit: Audit;
  /** Called with the failures of the log that only outcomes of a batch report. */
  onFault: (error: unknown) => void;
}): Publisher {
  const { broker, access, limits, published } = deps;
  const createDraft = createDrafts(deps);

  /** Called before any lookup, so that rejected publishes count against the rate limit too. */
  function takeFromRateLimit(caller: Caller): void {
    if (caller.kind === 'API_KEY') limits.perKey.take(caller.apiKey.id);
    else if (caller.kind === 'TOKEN') limits.perToken.take(caller.token.id);
  }

  async function publishDraft(draft: Draft): Promise<Published> {
    const startedAt = performance.now();
    const result = await broker.publish(draft);
    published(draft.projectId, (performance.now() - startedAt) / 1000);
    return result;
  }

  /** Publishes to a channel for which the caller was authorized. */
  async function publishToChannel(
    caller: Caller,
    draft: Draft,
    { channel: { id, createdAfter, createdAt } }: ChannelAccess,
  ): Promise<Published> {
    draft.channel = { createdAfter, createdAt };
    try {
      return await publishDraft(draft);
    } catch (error) {
      // The channel was deleted while the message waited.
      if (error instanceof SignalboxError && error.code === 'NOT_FOUND')
        throw access.lost(caller, 'PUBLISH', id);
      throw error;
    }
  }

  return {
    async publish(caller, channelId, input) {
      takeFromRateLimit(caller);
      const draft = createDraft(caller, channelAddress(channelId), input);
      return publishToChannel(caller, draft, await access.require(caller, 'PUBLISH', channelId));
    },
    publishAll: createPublishAll({ ...deps, createDraft, takeFromRateLimit, publishToChannel }),
    publishDirect: createPublishDirect({ ...deps, createDraft, takeFromRateLimit, publishDraft }),
  };
}
