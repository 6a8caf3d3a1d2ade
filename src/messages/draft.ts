import { createHash } from 'node:crypto';
import { type Address, type Draft } from '../broker/message.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { type NewId } from '../ids.ts';
import { canonicalJson, parseName, requireJson, type Json } from '../names.ts';
import { actorOf, type Caller } from '../tokens/caller.ts';
import { senderOf } from './sender.ts';

/** How long an idempotency key is remembered, in seconds: 24 hours. */
export const IDEMPOTENCY_SECONDS = 86_400;

export interface PublishInput {
  /** 1–128 letters, digits and `_ . : ~ -`. */
  event: string;
  /** A JSON value; its size is limited by `maxDataBytes`. Default: null. */
  data?: unknown;
  /** Skips the log: the message is delivered to live subscribers only. Default: false. */
  ephemeral?: boolean | undefined;
  /** 1–255 visible ASCII characters. A repeat within 24 hours returns the first message and publishes nothing. */
  idempotencyKey?: string | undefined;
}

/**
 * Checks the content of a message and makes it a draft. Does not check whether the caller may publish it.
 * @param maxDataBytes the largest `data`, in bytes of JSON. Default: the setting `maxDataBytes`
 * @throws BAD_USER_INPUT, PAYLOAD_TOO_LARGE
 */
export type CreateDraft = (
  caller: Caller,
  address: Address,
  input: PublishInput,
  maxDataBytes?: number,
) => Draft;

export const createDrafts = ({
  clock,
  newId,
  config,
}: {
  clock: Clock;
  newId: NewId;
  config: Pick<Config, 'maxDataBytes'>;
}): CreateDraft =>
  function createDraft(caller, address, input, maxDataBytes = config.maxDataBytes) {
    const event = parseName('event', input.event, 'event');
    const data = (input.data ?? null) as Json;
    const bytes = requireJson(data, maxDataBytes, 'data');
    const { projectId } = caller;
    const ephemeral = input.ephemeral ?? false;
    const publishedAt = clock.now();
    const key =
      input.idempotencyKey === undefined
        ? undefined
        : parseName('idempotencyKey', input.idempotencyKey, 'idempotencyKey');
    return {
      projectId,
      id: newId('msg'),
      address,
      event,
      data,
      bytes,
      sender: senderOf(caller),
      publishedAt,
      ephemeral,
      idempotencyKey: key,
      idempotency:
        key === undefined
          ? undefined
          : {
              key: `${idempotencyScopeOf(caller)} ${key}`,
              fingerprint: createHash('sha256')
                .update(canonicalJson([address, event, data, ephemeral]))
                .digest('base64url'),
              expiresAt: publishedAt + IDEMPOTENCY_SECONDS * 1000,
            },
    };
  };

/** The caller that an idempotency key belongs to. The successor of a rotated API key repeats what its predecessor began. */
function idempotencyScopeOf(caller: Caller): string {
  return caller.kind === 'API_KEY' ? caller.apiKey.rootKeyId : actorOf(caller);
}
