import { useState } from 'react';
import { Button, Text } from '@mantine/core';
import {
  FollowActivityDocument,
  type FollowActivitySubscription,
  type FollowActivitySubscriptionVariables,
} from '../../generated/operations.ts';
import { useLive } from '../../api/use-live.ts';
import { DataTable } from '../../parts/DataTable.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { Section } from '../../parts/Section.tsx';
import { ACTIVITY_COLUMNS } from './activity-columns.tsx';

/** More than anyone reads, and little work for a service that delivers thousands. */
const PER_SECOND = 100;
/** Of the past, as many as tell what a token did last. */
const RECENT = 50;

type Activity = FollowActivitySubscription['activity'];

/** The activities that match, newest first. */
export function ActivityTail({
  filter,
}: {
  filter: Omit<FollowActivitySubscriptionVariables, 'perSecond' | 'recent'>;
}) {
  const [isPaused, setPaused] = useState(false);
  const variables = { ...filter, perSecond: PER_SECOND, recent: RECENT };
  const live = useLive(FollowActivityDocument, variables, ({ activity }) => activity, {
    isPaused,
    leftOutOf: ({ kind, count }: Activity) => (kind === 'SKIPPED' ? (count ?? 0) : 0),
    isReplayed: ({ replayed }) => replayed,
    keyOf: ({ replayed: _, data: __, ...activity }) => JSON.stringify(activity),
  });
  return (
    <Section
      title="Live activity"
      about={`The newest 500 are kept, and of messages, presence and connections about ${PER_SECOND} a second: filter to see all. They begin with up to ${RECENT} that the service remembers, without their data.`}
      actions={
        <>
          <Button size="compact-sm" variant="default" onClick={() => setPaused(!isPaused)}>
            {isPaused ? 'Continue' : 'Pause'}
          </Button>
          <Button size="compact-sm" variant="default" onClick={live.clear}>
            Clear
          </Button>
        </>
      }
    >
      <ErrorNotice error={live.error} />
      <DataTable
        label="Live activity"
        columns={ACTIVITY_COLUMNS}
        rows={live.entries}
        rowId={({ number }) => String(number)}
        empty={
          <EmptyState title="Waiting for activity">
            Create a token, connect the test client or publish a message in another window.
          </EmptyState>
        }
      />
      {live.count > 0 && (
        <Text c="dimmed" size="sm">
          {live.count} received{live.leftOut > 0 && `, ${live.leftOut} left out because they came too fast`}
        </Text>
      )}
      <GraphqlPreview document={FollowActivityDocument} variables={variables} />
    </Section>
  );
}
