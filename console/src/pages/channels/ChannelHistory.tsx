import { useState } from 'react';
import { Button, Group } from '@mantine/core';
import { ChannelHistoryDocument } from '../../generated/operations.ts';
import { useOperation } from '../../api/use-operation.ts';
import { DataTable } from '../../parts/DataTable.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { Section } from '../../parts/Section.tsx';
import { MESSAGE_COLUMNS } from './message-columns.tsx';

/** The messages that the log still holds, page by page. */
export function ChannelHistory({ id }: { id: string }) {
  // The cursors of the pages before this one; the last is that of the page that is shown.
  const [trail, setTrail] = useState<readonly string[]>([]);
  const before = trail.at(-1);
  const variables = { id, ...(before !== undefined && { before }) };
  const { data, error } = useOperation(ChannelHistoryDocument, variables);
  const page = data?.channel?.messages;
  const cursor = page?.pageInfo.startCursor;
  return (
    <Section title="History" about="What the log still holds, newest first.">
      <ErrorNotice error={error} />
      {page && (
        <DataTable
          label="History"
          columns={MESSAGE_COLUMNS}
          rows={[...page.nodes].reverse()}
          rowId={(row) => row.id}
          empty={
            <EmptyState title="No messages">
              The history policy decides how long messages stay here.
            </EmptyState>
          }
        />
      )}
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          disabled={trail.length === 0}
          onClick={() => setTrail(trail.slice(0, -1))}
        >
          Newer
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          disabled={page?.pageInfo.hasPreviousPage !== true || typeof cursor !== 'string'}
          onClick={() => typeof cursor === 'string' && setTrail([...trail, cursor])}
        >
          Older
        </Button>
      </Group>
      <GraphqlPreview document={ChannelHistoryDocument} variables={variables} />
    </Section>
  );
}
