import { type Caller } from '../tokens/caller.ts';

/** Tells whether the rights of a caller may have changed since it was called. */
export type WatchRights = (caller: Caller) => RightsWatch;

export interface RightsWatch extends Disposable {
  readonly hasChanged: boolean;
}
