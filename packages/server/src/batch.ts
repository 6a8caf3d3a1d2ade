import { SignalboxError } from './errors.ts';
import { PublishMessagesDocument, type PublishMessagesMutation } from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { type Receipt } from './messages.ts';
import { type Transport } from './transport/request.ts';

/** A message of `publishMessages`. */
export interface MessageToPublish {
  channel: string;
  /** 1–128 letters, digits and `_ . : ~ -` */
  event: string;
  /** A JSON value. Default: null. */
  data?: unknown;
  /** Deliver to live subscribers only, and do not keep the message. Default: false. */
  ephemeral?: boolean | undefined;
  /** 1–255 visible ASCII characters; as in `publishMessage`. Default: a random key. */
  idempotencyKey?: string | undefined;
}

/** The outcome for one message of a batch: exactly one of the two fields is null. */
export interface PublishOutcome {
  receipt: Receipt | null;
  error: SignalboxError | null;
}

/** The most messages that the service accepts in one call. */
const LARGEST_CALL = 100;
/** Below the 64 KiB that the service accepts in one request by default, with room for the document. */
const LARGEST_CALL_BYTES = 60_000;

type Answer = PublishMessagesMutation['publishMessages'];
type OutcomeError = NonNullable<Answer[number]['error']>;

/** The outcomes that are known so far, by the index of the message. */
type Outcomes = Map<number, PublishOutcome>;

/** Creates `publishMessages`, which publishes any number of messages in as few calls as the service allows. */
export function createPublishMessages({ request, repeat }: Transport) {
  /** Publishes the messages of one call, and again those that are refused with a retryable error. */
  async function publishPart(
    messages: readonly MessageToPublish[],
    part: readonly number[],
    outcomes: Outcomes,
    options: CallOptions,
  ): Promise<void> {
    let due = part;
    const attempt = async () => {
      // If this call fails, it is not known what became of its messages.
      for (const index of due) outcomes.delete(index);
      const input = due.flatMap((index) => messages[index] ?? []);
      // A message that is not kept has no idempotency, so a call with one is not repeated when its answer is lost.
      const repetition = input.some(({ ephemeral }) => ephemeral === true) ? 'once' : 'repeatable';
      const answer = await request(PublishMessagesDocument, { messages: input }, repetition, options);
      for (const [position, index] of due.entries())
        outcomes.set(index, outcomeOf(answer.publishMessages[position]));
      const refused = due.filter((index) =>
        mayRepeat(outcomes.get(index)?.error, messages[index]?.idempotencyKey),
      );
      const error = outcomes.get(refused[0] ?? -1)?.error;
      const hasProgressed = refused.length < due.length;
      due = refused;
      return error ? { error, isSafe: true, hasProgressed } : { value: undefined };
    };
    await repeat(attempt, options.signal).catch((error: unknown) => {
      // The repetitions are used up: the outcomes say which messages were refused.
      if (due.length === 0 || due.some((index) => !outcomes.has(index))) throw error;
    });
  }

  return {
    /**
     * Publishes messages to channels, in their order, in calls of at most 100 messages and 60,000 bytes. The outcomes have the
     * order of the messages. A message that is refused holds back no other message; one that is refused with a retryable error
     * is published again, after the others of its call. Each kept message has an idempotency key, so none is published twice.
     *
     * @returns an outcome for each message. When a later call fails, its messages and those after it have its error.
     * @throws SignalboxError when the first call fails, so that no outcome is known
     * @example
     * ```ts
     * const outcomes = await signalbox.publishMessages(rows.map((data) => ({ channel: 'news', event: 'row', data })));
     * const refused = outcomes.flatMap(({ error }, index) => (error ? [{ index, error }] : []));
     * ```
     */
    async publishMessages(
      messages: readonly MessageToPublish[],
      options: CallOptions = {},
    ): Promise<PublishOutcome[]> {
      const prepared = messages.map(withKey);
      const outcomes: Outcomes = new Map();
      const parts = split(prepared);
      for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
        try {
          await publishPart(prepared, part, outcomes, options);
        } catch (error) {
          // The reason of an aborted signal is the caller’s own.
          if (!(error instanceof SignalboxError) || options.signal?.aborted) throw error;
          const isTooLarge = error.code === 'PAYLOAD_TOO_LARGE';
          if (isTooLarge && part.length > 1) {
            // This service accepts smaller requests than one does by default.
            const half = Math.ceil(part.length / 2);
            parts.unshift(part.slice(0, half), part.slice(half));
          } else if (isTooLarge) {
            for (const index of part) outcomes.set(index, { receipt: null, error });
          } else {
            if (outcomes.size === 0) throw error;
            return messages.map((_, index) => outcomes.get(index) ?? { receipt: null, error });
          }
        }
      }
      return messages.flatMap((_, index) => outcomes.get(index) ?? []);
    },
  };
}

const withKey = ({
  channel,
  event,
  data,
  ephemeral,
  idempotencyKey,
}: MessageToPublish): MessageToPublish => ({
  channel,
  event,
  data,
  ephemeral,
  idempotencyKey: idempotencyKey ?? (ephemeral === true ? undefined : crypto.randomUUID()),
});

/** Splits messages, in their order, into the parts of single calls: lists of indices. */
function split(messages: readonly MessageToPublish[]): number[][] {
  const text = new TextEncoder();
  const parts: number[][] = [];
  let part: number[] = [];
  let bytes = 0;
  for (const [index, message] of messages.entries()) {
    const size = text.encode(JSON.stringify(message)).length + 1;
    if (part.length === 0 || part.length === LARGEST_CALL || bytes + size > LARGEST_CALL_BYTES) {
      part = [];
      parts.push(part);
      bytes = 0;
    }
    part.push(index);
    bytes += size;
  }
  return parts;
}

/** A message without an idempotency key that may have been published would be published twice. */
function mayRepeat(error: SignalboxError | null | undefined, idempotencyKey: string | undefined): boolean {
  return error?.retryable === true && (idempotencyKey !== undefined || !error.outcomeUnknown);
}

function outcomeOf(outcome: Answer[number] | undefined): PublishOutcome {
  if (outcome === undefined)
    throw new SignalboxError('BAD_RESPONSE', 'The service answered with too few outcomes.');
  return { receipt: outcome.receipt, error: outcome.error && toError(outcome.error) };
}

function toError({
  code,
  message,
  retryable,
  retryAfterSeconds,
  outcomeUnknown,
}: OutcomeError): SignalboxError {
  return new SignalboxError(code, message, {
    retryable,
    outcomeUnknown,
    ...(retryAfterSeconds !== null && { retryAfterSeconds }),
  });
}
