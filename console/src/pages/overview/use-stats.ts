import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { request, type Client } from '../../client/request.ts';
import { useSession } from '../../client/session-context.ts';
import { StatsDocument, type StatsQuery } from '../../generated/operations.ts';
import { STEP_SECONDS } from './series.ts';

export type Stats = StatsQuery['stats'];

/** The steps of an hour. */
const SHOWN_STEPS = 3_600 / STEP_SECONDS;
const KEY = [StatsDocument];

/**
 * The figures of the node that answers, read at each step. Only the steps that ended since the last read are sent: an hour of
 * them would take the service ten times as long as all other figures.
 */
export function useStats(): UseQueryResult<Stats> {
  const { client } = useSession();
  const queries = useQueryClient();
  return useQuery({
    queryKey: KEY,
    queryFn: () => readStats(client, queries.getQueryData<Stats>(KEY)),
    refetchInterval: STEP_SECONDS * 1_000,
  });
}

async function readStats(client: Client, before: Stats | undefined): Promise<Stats> {
  const last = before?.series.at(-1);
  if (!before || !last) return readAll(client);
  const { stats } = await request(client, StatsDocument, { after: last.at });
  // Another node answers, or the same one after a start: its steps are others.
  if (stats.node !== before.node) return readAll(client);
  return { ...stats, series: [...before.series, ...stats.series].slice(-SHOWN_STEPS) };
}

async function readAll(client: Client): Promise<Stats> {
  return (await request(client, StatsDocument, {})).stats;
}
