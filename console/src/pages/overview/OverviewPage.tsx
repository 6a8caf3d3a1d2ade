import { Loader, SimpleGrid, Stack, Text } from '@mantine/core';
import { StatsDocument } from '../../generated/operations.ts';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { Section } from '../../parts/Section.tsx';
import { Time } from '../../parts/Time.tsx';
import { Attention } from './Attention.tsx';
import { Chart } from './Chart.tsx';
import { Figure } from './Figure.tsx';
import { Refusals } from './Refusals.tsx';
import { toSeries } from './series.ts';
import { useStats } from './use-stats.ts';

/** The figures of the node that answers: now, and in the last hour. */
export function OverviewPage() {
  const { data: stats, error } = useStats();
  if (!stats)
    return (
      <>
        <PageHeader title="Overview" />
        {error ? <ErrorNotice error={error} /> : <Loader aria-label="Loading" />}
      </>
    );
  const { times, connections, publishes, deliveries, refusals, loopLag } = toSeries(stats.series);
  return (
    <>
      <PageHeader title="Overview" about={`${stats.project ?? 'All projects'} on ${stats.node}`} />
      <Stack gap="md">
        <ErrorNotice error={error} />
        <Attention stats={stats} />
        <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm">
          <Figure name="Connections now" value={stats.connections} />
          <Figure name="Published" value={stats.totals.publishes} />
          <Figure name="Delivered" value={stats.totals.deliveries} />
          <Figure name="Replayed" value={stats.totals.replays} />
          <Figure name="Slow consumers" value={stats.totals.slowConsumers} />
          <Figure name="Gaps" value={stats.totals.gaps} />
        </SimpleGrid>
        <Text size="sm" c="dimmed">
          Totals since the node started, <Time at={stats.startedAt} />. Charts show the last hour in steps of
          10 seconds. Consoles count as connections, and their live pages as deliveries.
        </Text>
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
          <Chart title="Connections" times={times} values={connections} />
          <Chart title="Messages published per second" times={times} values={publishes} />
          <Chart title="Deliveries per second" times={times} values={deliveries} />
          <Chart title="Refusals per second" times={times} values={refusals} />
          {loopLag && <Chart title="Longest pause of the event loop (ms)" times={times} values={loopLag} />}
        </SimpleGrid>
        <Section title="Refusals by code" about="Errors that callers received since the node started.">
          <Refusals refusals={stats.totals.refusals} />
        </Section>
        <GraphqlPreview document={StatsDocument} variables={{}} />
      </Stack>
    </>
  );
}
