import { type Published } from '../broker/broker.ts';
import { channelAddress, type Draft } from '../broker/message.ts';
import { type Access, type ChannelAccess } from '../channels/access.ts';
import { type RightsWatch, type RightsWatches } from '../connections/rights-watch.ts';
import { badInput, SignalboxError } from '../errors.ts';
import { outcomeErrorOf, type OutcomeError } from '../outcome-error.ts';
import { Slices } from '../slices.ts';
import { type Caller } from '../tokens/caller.ts';
import { type CreateDraft, type PublishInput } from './draft.ts';

/** The maximum number of messages in one call of `publishAll`. */
export const MAX_PUBLISHES = 100;

/** A message of a batch. */
export interface ChannelPublishInput extends PublishInput {
  channel: string;
}

/** The outcome of one message of a batch: exactly one of the two is null. */
export interface PublishOutcome {
  published: Published | null;
  error: OutcomeError | null;
}

/** Publishes several messages; see `Publisher.publishAll`. */
export type PublishAll = (
  caller: Caller,
  inputs: readonly ChannelPublishInput[],
) => Promise<PublishOutcome[]>;

export function createPublishAll(deps: {
  access: Access;
  createDraft: CreateDraft;
  takeFromRateLimit: (caller: Caller) => void;
  /** Publishes to a channel for which the caller was authorized. */
  publishToChannel: (
    caller: Caller,
    draft: Draft,
    channelAccess: ChannelAccess,
    watch: RightsWatch,
  ) => Promise<Published>;
  rights: RightsWatches;
  /** Called with the failures of the log that only outcomes report. */
  onFault: (error: unknown) => void;
}): PublishAll {
  const { access, createDraft, takeFromRateLimit, publishToChannel, rights, onFault } = deps;

  /** Checks the content of a message of a batch, but not yet the permission of its caller. */
  function prepare(caller: Caller, input: ChannelPublishInput): Prepared {
    return refusalOr(() => {
      takeFromRateLimit(caller);
      return createDraft(caller, channelAddress(input.channel), input);
    });
  }

  /** The channels of a batch with the access of its caller, each looked up once. */
  async function lookUpAccess(
    caller: Caller,
    channelIds: Iterable<string>,
  ): Promise<ReadonlyMap<string, ChannelAccess | SignalboxError>> {
    const found = new Map<string, ChannelAccess | SignalboxError>();
    for (const id of new Set(channelIds))
      found.set(id, await access.require(caller, 'PUBLISH', id).catch(requireRefusal));
    return found;
  }

  async function publishPrepared(
    caller: Caller,
    inputs: readonly ChannelPublishInput[],
    prepared: readonly Prepared[],
    watch: RightsWatch,
  ): Promise<PublishOutcome[]> {
    // Nothing is awaited between this look-up and the broker: no right ends in between, and the messages share transactions.
    const accesses = await lookUpAccess(
      caller,
      inputs.map(({ channel }) => channel),
    );
    const results = await Promise.all(
      prepared.map(async (draft, index): Promise<Published | SignalboxError> => {
        if (draft instanceof SignalboxError) return draft;
        const channelAccess = accesses.get(inputs[index]?.channel ?? '');
        if (channelAccess === undefined) throw new Error('lookUpAccess() omitted a channel');
        if (channelAccess instanceof SignalboxError) return channelAccess;
        return publishToChannel(caller, draft, channelAccess, watch).catch(requireSignalboxError);
      }),
    );
    requireAnyPublished(results);
    for (const cause of causesOf(results)) onFault(cause);
    return results.map(outcomeOf);
  }

  return async (caller, inputs) => {
    // Without a message there is no channel whose permission could be checked.
    if (inputs.length === 0) throw badInput('messages', 'must have at least one message.');
    if (inputs.length > MAX_PUBLISHES)
      throw new SignalboxError(
        'LIMIT_EXCEEDED',
        `A call may publish at most ${MAX_PUBLISHES} messages; this call has ${inputs.length}.`,
        { limit: MAX_PUBLISHES },
      );
    const prepared: Prepared[] = [];
    const slices = new Slices();
    for (const input of inputs) {
      prepared.push(prepare(caller, input));
      if (slices.shouldYield()) await slices.nextTurn();
    }
    const watch = rights.begin(caller);
    try {
      return await publishPrepared(caller, inputs, prepared, watch);
    } finally {
      watch[Symbol.dispose]();
    }
  };
}

/** A draft, or why its message is refused. */
type Prepared = Draft | SignalboxError;

function refusalOr<T>(work: () => T): T | SignalboxError {
  try {
    return work();
  } catch (error) {
    return requireRefusal(error);
  }
}

function outcomeOf(result: Published | SignalboxError): PublishOutcome {
  return result instanceof SignalboxError
    ? { published: null, error: outcomeErrorOf(result) }
    : { published: result, error: null };
}

/** @throws the error of the log when it cannot be written and no message is known to be published */
function requireAnyPublished(results: readonly (Published | SignalboxError)[]): void {
  const errors = results.filter((result) => result instanceof SignalboxError);
  if (errors.length < results.length) return;
  const failures = errors.filter(({ code }) => code === 'UNAVAILABLE');
  const failure = failures.find(({ fields }) => fields.outcomeUnknown) ?? failures[0];
  if (failure) throw failure;
}

/** The failures of the service behind the errors, each once: a transaction that fails has one for all of its messages. */
function causesOf(results: readonly (Published | SignalboxError)[]): ReadonlySet<unknown> {
  const errors = results.filter((result) => result instanceof SignalboxError);
  return new Set(errors.flatMap(({ cause }) => (cause === undefined ? [] : [cause])));
}

function requireSignalboxError(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) return error;
  throw error;
}

/** Returns the error of a refused message. Throws failures of the service, which concern the whole batch. */
function requireRefusal(error: unknown): SignalboxError {
  if (error instanceof SignalboxError && error.cause === undefined) return error;
  throw error;
}
