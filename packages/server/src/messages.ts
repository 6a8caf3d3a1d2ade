import {
  PublishDirectMessageDocument,
  PublishMessageDocument,
  type ReceiptFragment,
} from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { createPublishMessages } from './batch.ts';
import { type Transport } from './transport/request.ts';

/** The confirmation of a publish: the message is kept, unless it is ephemeral. */
export type Receipt = ReceiptFragment;

/** The recipient of a direct message: exactly one of a token, an identity and a live connection. */
export type Recipient =
  | { token: string; identity?: undefined; connection?: undefined }
  | { identity: string; token?: undefined; connection?: undefined }
  | { connection: string; token?: undefined; identity?: undefined };

/** Options of a publish. */
export interface PublishOptions extends CallOptions {
  /** Deliver to live subscribers only, and do not keep the message. Default: false. */
  ephemeral?: boolean | undefined;
  /**
   * 1–255 visible ASCII characters. A second publish with the same key within 24 hours publishes nothing and resolves to the
   * first message. Default: a random key for each call, so that repetitions by the SDK publish once. Pass your own to be safe
   * across restarts of your process.
   */
  idempotencyKey?: string | undefined;
}

/** The calls that publish. */
export function createMessages(transport: Transport) {
  const { request } = transport;
  // Messages that are not kept have no idempotency: their publish is not repeated when the answer is lost.
  const prepare = ({ ephemeral, idempotencyKey }: PublishOptions, isKept: boolean) => ({
    variables: { ephemeral, idempotencyKey: idempotencyKey ?? (isKept ? crypto.randomUUID() : undefined) },
    repetition: isKept ? ('repeatable' as const) : ('once' as const),
  });
  const callOptions = ({ signal, timeoutMs }: PublishOptions): CallOptions => ({ signal, timeoutMs });

  return {
    ...createPublishMessages(transport),

    /**
     * Publishes a message to a channel. When it resolves, the message is kept and was delivered to the live subscribers.
     *
     * @param event 1–128 letters, digits and `_ . : ~ -`
     * @param data a JSON value; absent: null
     * @throws SignalboxError NOT_FOUND, BAD_USER_INPUT, PAYLOAD_TOO_LARGE, CONFLICT when the idempotency key was used for a
     *   different message, RATE_LIMITED
     */
    async publishMessage(
      channel: string,
      event: string,
      data?: unknown,
      options: PublishOptions = {},
    ): Promise<Receipt> {
      const { variables, repetition } = prepare(options, options.ephemeral !== true);
      const input = { channel, event, data, ...variables };
      return (await request(PublishMessageDocument, input, repetition, callOptions(options))).publishMessage;
    },

    /**
     * Publishes a message to a token, to every token of an identity, or to one live connection. Messages to a connection are
     * never kept.
     *
     * @throws SignalboxError NOT_FOUND, TOKEN_REVOKED, BAD_USER_INPUT, PAYLOAD_TOO_LARGE, CONFLICT, RATE_LIMITED
     */
    async publishDirectMessage(
      to: Recipient,
      event: string,
      data?: unknown,
      options: PublishOptions = {},
    ): Promise<Receipt> {
      const isKept = options.ephemeral !== true && to.connection === undefined;
      const { variables, repetition } = prepare(options, isKept);
      const { token, identity, connection } = to;
      const input = { token, identity, connection, event, data, ...variables };
      const answer = await request(PublishDirectMessageDocument, input, repetition, callOptions(options));
      return answer.publishDirectMessage;
    },
  };
}
