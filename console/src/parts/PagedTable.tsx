import { type ReactNode } from 'react';
import { Button, Group, Loader, Stack, Text } from '@mantine/core';
import { type ColumnDef } from '@tanstack/react-table';
import { type Pages } from '../api/use-pages.ts';
import { DataTable } from './DataTable.tsx';
import { ErrorNotice } from './ErrorNotice.tsx';

interface Properties<Row> {
  label: string;
  columns: ColumnDef<Row>[];
  pages: Pages<Row>;
  rowId(row: Row): string;
  empty: ReactNode;
}

/** A table of the pages that are loaded so far, with a button that loads the next one. */
export function PagedTable<Row>({ label, columns, pages, rowId, empty }: Properties<Row>) {
  const { nodes, error, isLoading, hasMore, loadMore } = pages;
  if (error !== undefined && nodes.length === 0) return <ErrorNotice error={error} />;
  if (isLoading && nodes.length === 0) return <Loader aria-label="Loading" />;
  return (
    <Stack gap="sm">
      <ErrorNotice error={error} />
      <DataTable label={label} columns={columns} rows={nodes} rowId={rowId} empty={empty} />
      {hasMore && (
        <Group justify="space-between">
          <Text c="dimmed" size="sm">
            {nodes.length} loaded, there are more
          </Text>
          <Button variant="default" size="compact-sm" loading={isLoading} onClick={loadMore}>
            Load more
          </Button>
        </Group>
      )}
    </Stack>
  );
}
