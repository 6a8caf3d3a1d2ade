import { useMemo, useState } from 'react';
import { Alert, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { ConnectionsDocument } from '../../generated/operations.ts';
import { DataTable } from '../../parts/DataTable.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { replaceParam, useRoute } from '../../routing/route.ts';
import { CONNECTION_COLUMNS } from './connection-columns.tsx';
import { useAllConnections } from './use-all-connections.ts';

const FILTERS = ['identity', 'token', 'channel'] as const;
const LABELS = { identity: 'Identity', token: 'Token', channel: 'Channel' } as const;

/** All live connections: who, since when, what each receives and how far behind it is. */
export function ConnectionsPage() {
  const { params } = useRoute();
  const [isLive, setLive] = useState(true);
  const [settled] = useDebouncedValue(params.toString(), 300);
  const chosen = new URLSearchParams(settled);
  const filter = Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = chosen.get(name)?.trim();
      return value ? [[name, value]] : [];
    }),
  );
  const search = chosen.get('search') ?? '';
  const { connections, isCut, error, isLoading, pauseSeconds } = useAllConnections(filter, isLive);
  const rows = useMemo(
    () =>
      search === '' ? connections : connections.filter(({ connection }) => connection.id.includes(search)),
    [connections, search],
  );
  return (
    <>
      <PageHeader title="Connections" about="Live WebSockets and event streams, of all nodes.">
        <Button variant="default" onClick={() => setLive(!isLive)}>
          {isLive ? 'Pause' : 'Continue'}
        </Button>
      </PageHeader>
      <Stack gap="sm">
        <Group gap="sm" align="flex-end" className="filters">
          {FILTERS.map((name) => (
            <TextInput
              key={name}
              label={LABELS[name]}
              placeholder="all"
              value={params.get(name) ?? ''}
              onChange={(event) => replaceParam(name, event.currentTarget.value)}
            />
          ))}
          <TextInput
            label="Connection"
            placeholder="conn_…"
            value={params.get('search') ?? ''}
            onChange={(event) => replaceParam('search', event.currentTarget.value)}
          />
        </Group>
        <ErrorNotice error={error} />
        {isCut && <Alert color="yellow">Only the first 5,000 connections are shown. Use a filter.</Alert>}
        <DataTable
          label="Connections"
          columns={CONNECTION_COLUMNS}
          rows={rows}
          rowId={({ connection }) => connection.id}
          empty={
            <EmptyState title={isLoading ? 'Loading …' : 'No connections'}>
              Create a token and open the test client with its credential to see one here.
            </EmptyState>
          }
        />
        <Text c="dimmed" size="sm">
          {rows.length} connections{isLive ? `, read again after ${pauseSeconds} seconds` : ', paused'}
        </Text>
        <GraphqlPreview document={ConnectionsDocument} variables={filter} />
      </Stack>
    </>
  );
}
