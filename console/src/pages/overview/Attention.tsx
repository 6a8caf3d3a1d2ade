import { Alert, List } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type StatsQuery } from '../../generated/operations.ts';
import { STEP_SECONDS } from './series.ts';

type Stats = StatsQuery['stats'];

/** The samples that a warning looks at: five minutes. */
const RECENT = 30;
const HIGH_LOOP_LAG_MS = 250;

/** What an operator should look at now, or that all is well. */
export function Attention({ stats }: { stats: Stats }) {
  const { data: readiness } = useQuery({
    queryKey: ['ready'],
    refetchInterval: STEP_SECONDS * 1_000,
    queryFn: async () => (await fetch('/ready')).text(),
  });
  const problems = [
    ...(readiness === undefined || readiness === 'ready' ? [] : [`The service is not ready: ${readiness}`]),
    ...findProblems(stats),
  ];
  if (problems.length === 0) return <Alert color="green">Ready. Nothing needs attention.</Alert>;
  return (
    <Alert color="yellow" title="Needs attention">
      <List size="sm">
        {problems.map((problem) => (
          <List.Item key={problem}>{problem}</List.Item>
        ))}
      </List>
    </Alert>
  );
}

function findProblems({ series }: Stats): string[] {
  // The first step of a node includes its start, which takes as long as it takes.
  const recent = series.slice(1).slice(-RECENT);
  const slow = recent.reduce((sum, { counts }) => sum + counts.slowConsumers, 0);
  const gaps = recent.reduce((sum, { counts }) => sum + counts.gaps, 0);
  const lag = Math.max(0, ...recent.map(({ process }) => process?.loopLagMs ?? 0));
  const refused = recent.flatMap(({ counts }) => counts.refusals);
  const faults = refused.reduce(
    (sum, { code, count }) => sum + (code === 'INTERNAL_SERVER_ERROR' ? count : 0),
    0,
  );
  const limited = refused.reduce((sum, { code, count }) => sum + (code === 'RATE_LIMITED' ? count : 0), 0);
  return [
    slow > 0 && `${slow} connections were closed because their clients read too slowly.`,
    gaps > 0 &&
      `${gaps} clients were told that messages are missing: the history is shorter than their absence.`,
    lag > HIGH_LOOP_LAG_MS &&
      `The event loop paused for ${Math.round(lag)} ms: the process has too much to do.`,
    faults > 0 && `${faults} internal errors: the log of the service has the details.`,
    limited > 0 && `${limited} requests were refused because of a rate limit.`,
  ].filter((problem) => problem !== false);
}
