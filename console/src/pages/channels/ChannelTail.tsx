import { useMemo, useState } from 'react';
import { Button, Group, Text } from '@mantine/core';
import { TailChannelDocument } from '../../generated/operations.ts';
import { useLive } from '../../api/use-live.ts';
import { DataTable } from '../../parts/DataTable.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { Section } from '../../parts/Section.tsx';
import { MESSAGE_COLUMNS } from './message-columns.tsx';

/** The messages of a channel as they are published, newest first. */
export function ChannelTail({ id }: { id: string }) {
  const [isPaused, setPaused] = useState(false);
  const { entries, count, error, clear } = useLive(
    TailChannelDocument,
    { channel: id },
    ({ messages }) => messages,
    { isPaused },
  );
  const messages = useMemo(() => entries.map(({ entry }) => entry), [entries]);
  return (
    <Section
      title="Live messages"
      about="From the moment this page was opened. The newest 500 are kept."
      actions={
        <>
          <Button size="compact-sm" variant="default" onClick={() => setPaused(!isPaused)}>
            {isPaused ? 'Continue' : 'Pause'}
          </Button>
          <Button size="compact-sm" variant="default" onClick={clear}>
            Clear
          </Button>
        </>
      }
    >
      <ErrorNotice error={error} />
      <DataTable
        label="Live messages"
        columns={MESSAGE_COLUMNS}
        rows={messages}
        rowId={(row) => row.id}
        empty={<EmptyState title="Waiting for messages">Publish one below, or from a client.</EmptyState>}
      />
      {count > 0 && (
        <Group>
          <Text c="dimmed" size="sm">
            {count} received
          </Text>
        </Group>
      )}
    </Section>
  );
}
