/**
 * Delivery: serializes the execution results of a batch, once for all subscribers of a shared operation.
 * Before this step: `shared-operation`. Next: `shared-frames` frames the results for an operation id.
 */
import { type ExecutionResult } from 'graphql';
import { SharedFrames } from './shared-frames.ts';
import { type OperationId } from './operation-id.ts';
import { type PublicError } from './public-errors.ts';

/** Id lengths whose frames are cached. Counting clients use ids of a few lengths, UUIDs have one length. */
const MAX_CACHED_ID_LENGTHS = 4;
/** Longer ids are rare, so their frames are built anew for each subscriber. */
const MAX_CACHED_ID_BYTES = 64;
/** Estimated memory beside the payload bytes: the objects of each batch and of each result. */
const OVERHEAD_BYTES_PER_BATCH = 1024;
const OVERHEAD_BYTES_PER_RESULT = 128;

/** The execution results of one batch of events, serialized as payloads of `next` messages. */
export class SerializedResults {
  /** Number of results. */
  readonly count: number;
  /** Estimated memory in bytes, including the frames for ids of one length. */
  readonly estimatedBytes: number;
  /** The senders whose results differ from these; see `senderKey`. Undefined if there are none. */
  readonly senders: ReadonlySet<string> | undefined;
  /** For each `next` message, its payload and the closing brace of the message. */
  readonly #payloads: readonly Buffer[];
  #latestFrames: SharedFrames | undefined;
  #cachedFrames: SharedFrames[] = [];

  constructor(results: readonly ExecutionResult[], publicError: PublicError, senders?: ReadonlySet<string>) {
    this.senders = senders;
    this.#payloads = results.map(({ data, errors }) => {
      const payload = errors
        ? { errors: errors.map((error) => publicError(error).toJSON()), data }
        : { data };
      return Buffer.from(`${JSON.stringify(payload)}}`);
    });
    this.count = results.length;
    const bytes = this.#payloads.reduce((sum, { length }) => sum + length, 0);
    this.estimatedBytes = OVERHEAD_BYTES_PER_BATCH + this.count * OVERHEAD_BYTES_PER_RESULT + 2 * bytes;
  }

  /** The frames of the `next` messages for all ids of the same length as `id`. */
  framesFor(id: OperationId): SharedFrames {
    if (this.#latestFrames?.idLength === id.json.length) return this.#latestFrames;
    const { length } = id.json;
    const cached = this.#cachedFrames.find(({ idLength }) => idLength === length);
    const frames = cached ?? new SharedFrames(this.#payloads, id);
    if (length > MAX_CACHED_ID_BYTES) return frames;
    this.#latestFrames = frames;
    if (!cached) this.#cachedFrames = [frames, ...this.#cachedFrames].slice(0, MAX_CACHED_ID_LENGTHS);
    return frames;
  }
}
