import { type Broker } from '../broker/broker.ts';
import { ENDS_NO_RIGHTS, type Signal } from '../broker/signal.ts';
import { type Caller } from '../tokens/caller.ts';

/** Watches the rights of a caller while work on its behalf awaits something. Dispose it when the work ends. */
export interface RightsWatch extends Disposable {
  /**
   * Whether rows that were read since the watch began may be older than a change of the caller's rights, or of the channels
   * that they apply to.
   */
  readonly hasChanged: boolean;
}

/** The watches of this node. */
export interface RightsWatches extends Disposable {
  /** Counts the changes of any rights that this node has applied. While it stays equal, what was read about a caller is current. */
  readonly changes: number;
  begin(caller: Caller): RightsWatch;
}

export function createRightsWatches(broker: Pick<Broker, 'listen'>): RightsWatches {
  const watches = new Set<ActiveWatch>();
  let changes = 0;
  const subscription = broker.listen({
    applySignal(signal) {
      // Signals of many connections must not cost a visit of every watch.
      if (ENDS_NO_RIGHTS.has(signal.kind)) return 0;
      changes++;
      for (const watch of watches) watch.hasChanged ||= mayChange(watch.caller, signal);
      return 0;
    },
    reset() {
      changes++;
      for (const watch of watches) watch.hasChanged = true;
    },
  });
  return {
    get changes() {
      return changes;
    },
    begin(caller) {
      const watch = new ActiveWatch(watches, caller);
      watches.add(watch);
      return watch;
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

class ActiveWatch implements RightsWatch {
  readonly caller: Caller;
  hasChanged = false;
  readonly #all: Set<ActiveWatch>;

  constructor(all: Set<ActiveWatch>, caller: Caller) {
    this.#all = all;
    this.caller = caller;
  }

  [Symbol.dispose](): void {
    this.#all.delete(this);
  }
}

/** A caller can be out of date itself, so signals about other identities count as well. */
function mayChange(caller: Caller, signal: Signal): boolean {
  if (signal.projectId !== caller.projectId) return signal.kind === 'SIGNING_KEYS_ROTATED';
  switch (signal.kind) {
    case 'API_KEY_CHANGED':
      return caller.kind !== 'API_KEY' || caller.apiKey.id === signal.apiKey.id;
    case 'TOKEN_UPDATED':
    case 'TOKEN_REVOKED':
      return caller.kind === 'TOKEN' && caller.token.id === signal.token.id;
    case 'MEMBERSHIP_ENDED':
      return caller.kind === 'TOKEN' && caller.token.id === signal.tokenId;
    default:
      return caller.kind !== 'API_KEY';
  }
}
