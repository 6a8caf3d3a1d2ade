import {
  GetStatsDocument,
  type GetStatsQuery,
  type StatsCountsFragment,
  type StoreSizeFragment,
} from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { type Request } from './transport/request.ts';

/** What happened in a period, by kind. */
export type StatsCounts = StatsCountsFragment;

/** The size of the store. */
export type StoreSize = StoreSizeFragment;

/** Figures of the node that answered: now, since its start, and in the last hour by steps of 10 seconds. */
export type Stats = GetStatsQuery['stats'];

/** The call `signalbox.stats`. */
export function createGetStats(request: Request) {
  /**
   * Reads the figures of the node that answers. Pass the `at` of the last sample as `after` to read newer samples only.
   * `project` is for the operator; without it, the operator's key reads the figures of all projects.
   * @throws SignalboxError FORBIDDEN, NOT_FOUND
   */
  return async (
    { project, after }: { project?: string | undefined; after?: string | undefined } = {},
    options?: CallOptions,
  ): Promise<Stats> => (await request(GetStatsDocument, { project, after }, 'repeatable', options)).stats;
}
