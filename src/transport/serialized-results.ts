import { type ExecutionResult } from 'graphql';
import { SharedFrames } from './shared-frames.ts';
import { type OperationId } from './operation-id.ts';
import { type PublicError } from './public-errors.ts';

/** Lengths of ids whose frames are kept: clients that count have ids of a few lengths, UUIDs are of one. */
const KEPT_LENGTHS = 4;
/** Longer ids are nobody’s habit: their frames are made anew each time. */
const MAX_KEPT_ID_BYTES = 64;
/** What there is beside the bytes, as far as it is known: of each run, and of each of its results. */
const BYTES_PER_RUN = 1024;
const BYTES_PER_RESULT = 128;

/** The results of a run for one plan, serialised once. */
export class SerializedResults {
  /** How many results. */
  readonly count: number;
  /** What it takes to keep it, with frames for ids of one length. */
  readonly keptBytes: number;
  /** Of each `next` message the payload, and the brace that closes the message. */
  readonly #payloads: readonly Buffer[];
  #frames: SharedFrames | undefined;
  #others: SharedFrames[] = [];

  constructor(results: readonly ExecutionResult[], publicError: PublicError) {
    this.#payloads = results.map(({ data, errors }) => {
      const shown = errors ? { errors: errors.map((error) => publicError(error).toJSON()), data } : { data };
      return Buffer.from(`${JSON.stringify(shown)}}`);
    });
    this.count = results.length;
    const bytes = this.#payloads.reduce((sum, { length }) => sum + length, 0);
    this.keptBytes = BYTES_PER_RUN + this.count * BYTES_PER_RESULT + 2 * bytes;
  }

  /** The frames of its `next` messages, ready for any id that is as long as this one. */
  framesFor(id: OperationId): SharedFrames {
    if (this.#frames?.idLength === id.json.length) return this.#frames;
    const { length } = id.json;
    const known = this.#others.find(({ idLength }) => idLength === length);
    const frames = known ?? new SharedFrames(this.#payloads, id);
    if (length > MAX_KEPT_ID_BYTES) return frames;
    this.#frames = frames;
    if (!known) this.#others = [frames, ...this.#others].slice(0, KEPT_LENGTHS);
    return frames;
  }
}

/**
 * What was executed lately, by all plans together, oldest first: when thousands resume at once, each at its own place,
 * the last one hears a run long after the first.
 */
export class ResultCache {
  readonly #maxBytes: number;
  readonly #kept = new Set<{ bytes: number; forget: () => void }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Calls `forget` when there is no room for it any more. */
  add(bytes: number, forget: () => void): void {
    this.#kept.add({ bytes, forget });
    this.#bytes += bytes;
    for (const oldest of this.#kept) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#kept.delete(oldest);
      this.#bytes -= oldest.bytes;
      oldest.forget();
    }
  }
}
