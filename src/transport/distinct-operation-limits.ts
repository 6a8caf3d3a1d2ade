/**
 * Bounds how many executions one client can cause per event. A shared operation is executed once per event for all its
 * subscribers, so only distinct operations, and operations that depend on the viewer, make an event more expensive.
 */
import { type Connection } from '../connections/connection.ts';
import { limitExceeded, type SignalboxError } from '../errors.ts';
import { flatKey } from '../flat-key.ts';
import { UseCounts } from '../use-counts.ts';
import { type SharedOperation } from './shared-operation.ts';

export interface ExecutionLimits {
  maxDistinctOperationsPerConnection: number;
  maxDistinctOperationsPerToken: number;
  maxDistinctOperationsPerChannel: number;
}

export interface OperationHolder {
  /** The network address of the client, which stands for the token of an anonymous caller. */
  readonly address: string;
  readonly connection: Connection;
}

const ADVICE = 'Use the same document with variables for the arguments of the subscription.';

/** Counts the distinct operations of each connection, token (or anonymous address) and channel. */
export class DistinctOperationLimits {
  readonly #limits: ExecutionLimits;
  readonly #byConnection = new UseCounts<Connection>();
  readonly #byOwner = new UseCounts<string>();
  readonly #byChannel = new UseCounts<string>();
  readonly #byOwnerInChannel = new UseCounts<string>();
  /** Subscriptions that are executed for themselves, by channel and viewer. */
  readonly #viewers = new Map<string, number>();

  constructor(limits: ExecutionLimits) {
    this.#limits = limits;
  }

  /**
   * Counts the use of an operation. An operation that a scope uses already does not count again in that scope.
   * API keys are bounded per connection only, so that clients cannot use up the room of a backend.
   *
   * @param channelId undefined for a subscription that is not about one channel; those of a project count together
   * @throws LIMIT_EXCEEDED when the connection, the token or the channel would have too many distinct operations
   */
  acquire(
    holder: OperationHolder,
    operation: Pick<SharedOperation, 'key'>,
    channelId?: string,
  ): OperationUse {
    const { key } = operation;
    const { caller } = holder.connection;
    const limits = this.#limits;
    const perConnection = limits.maxDistinctOperationsPerConnection;
    requireRoom(this.#byConnection, holder.connection, key, perConnection, 'A connection');
    if (caller.kind !== 'API_KEY') {
      const { owner, channel, ownerInChannel } = scopesOf(holder, channelId);
      const subject = caller.kind === 'TOKEN' ? 'A token' : 'The anonymous callers of one network address';
      requireRoom(this.#byOwner, owner, key, limits.maxDistinctOperationsPerToken, subject);
      const isInbox = channelId === undefined;
      const scope = isInbox ? 'The inboxes of a project' : 'The subscriptions to one channel';
      requireRoom(this.#byChannel, channel, key, limits.maxDistinctOperationsPerChannel, scope);
      if (!this.#byChannel.has(channel, key)) this.#requireFairShare(ownerInChannel, channel, scope);
      this.#byOwner.add(owner, key);
      this.#byChannel.add(channel, key);
      this.#byOwnerInChannel.add(ownerInChannel, key);
    }
    this.#byConnection.add(holder.connection, key);
    return new OperationUse(this, holder, key, channelId);
  }

  /** See `OperationUse.release`. */
  release(holder: OperationHolder, key: string, channelId: string | undefined): void {
    this.#byConnection.remove(holder.connection, key);
    if (holder.connection.caller.kind === 'API_KEY') return;
    const { owner, channel, ownerInChannel } = scopesOf(holder, channelId);
    this.#byOwner.remove(owner, key);
    this.#byChannel.remove(channel, key);
    this.#byOwnerInChannel.remove(ownerInChannel, key);
  }

  /**
   * Refuses a token that uses more operations than half of those that the channel still has room for, so that a few tokens
   * cannot use up the room of all others. Everyone may add a first one.
   */
  #requireFairShare(ownerInChannel: string, channel: string, scope: string): void {
    const limit = this.#limits.maxDistinctOperationsPerChannel;
    const own = this.#byOwnerInChannel.distinct(ownerInChannel);
    const room = limit - this.#byChannel.distinct(channel);
    if (own > 0 && own >= room / 2) throw noRoom(scope, limit);
  }

  /** See `OperationUse.countViewerExecution`. */
  addViewer(viewer: string): void {
    const limit = this.#limits.maxDistinctOperationsPerToken;
    const count = this.#viewers.get(viewer) ?? 0;
    if (count >= limit) {
      throw limitExceeded(
        limit,
        `A token may have at most ${limit} subscriptions to one channel whose result depends on the caller. End some of them, or select fields that are equal for all callers.`,
      );
    }
    this.#viewers.set(viewer, count + 1);
  }

  removeViewer(viewer: string): void {
    const count = (this.#viewers.get(viewer) ?? 0) - 1;
    if (count > 0) this.#viewers.set(viewer, count);
    else this.#viewers.delete(viewer);
  }
}

/**
 * The use of a shared operation by one subscription, counted until `release`. Derives the scopes again when it ends, rather
 * than keep them, to save memory per subscription.
 */
export class OperationUse {
  readonly #limits: DistinctOperationLimits;
  readonly #holder: OperationHolder;
  readonly #key: string;
  readonly #channelId: string | undefined;
  #isCharged = false;

  constructor(
    limits: DistinctOperationLimits,
    holder: OperationHolder,
    key: string,
    channelId: string | undefined,
  ) {
    this.#limits = limits;
    this.#holder = holder;
    this.#key = key;
    this.#channelId = channelId;
  }

  /** Counts the executions for this subscription alone. Only the first call counts. @throws LIMIT_EXCEEDED */
  countViewerExecution(): void {
    if (this.#isCharged || this.#holder.connection.caller.kind === 'API_KEY') return;
    this.#limits.addViewer(scopesOf(this.#holder, this.#channelId).viewer);
    this.#isCharged = true;
  }

  release(): void {
    this.#limits.release(this.#holder, this.#key, this.#channelId);
    if (this.#isCharged) this.#limits.removeViewer(scopesOf(this.#holder, this.#channelId).viewer);
  }
}

/** The scopes in which a subscription counts. They stay the same, because the token of a connection never changes. */
function scopesOf({ connection, address }: OperationHolder, channelId: string | undefined) {
  const { caller, id, projectId } = connection;
  const tokenId = caller.kind === 'TOKEN' ? caller.token.id : undefined;
  const channel = flatKey(projectId, channelId ?? '');
  const owner = tokenId ?? flatKey(projectId, address);
  // Many anonymous callers can share an address, and each needs an execution of its own, so they count apart.
  return { channel, owner, ownerInChannel: flatKey(channel, owner), viewer: flatKey(channel, tokenId ?? id) };
}

function requireRoom<S>(counts: UseCounts<S>, scope: S, key: string, limit: number, subject: string): void {
  if (counts.has(scope, key) || counts.distinct(scope) < limit) return;
  throw noRoom(subject, limit);
}

function noRoom(subject: string, limit: number): SignalboxError {
  return limitExceeded(
    limit,
    `${subject} may have at most ${limit} distinct subscription operations. ${ADVICE}`,
  );
}
