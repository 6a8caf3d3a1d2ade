import { useState } from 'react';
import { Button, Text } from '@mantine/core';
import {
  FollowActivityDocument,
  type FollowActivitySubscriptionVariables,
} from '../../generated/operations.ts';
import { useLive } from '../../api/use-live.ts';
import { DataTable } from '../../parts/DataTable.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { Section } from '../../parts/Section.tsx';
import { ACTIVITY_COLUMNS } from './activity-columns.tsx';

/** The activities that match, newest first. */
export function ActivityTail({ variables }: { variables: FollowActivitySubscriptionVariables }) {
  const [isPaused, setPaused] = useState(false);
  const live = useLive(FollowActivityDocument, variables, ({ activity }) => activity, isPaused);
  return (
    <Section
      title="Live activity"
      about="The newest 500 are kept. Nothing from before the page was opened is shown."
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
          {live.count} received
        </Text>
      )}
      <GraphqlPreview document={FollowActivityDocument} variables={variables} />
    </Section>
  );
}
