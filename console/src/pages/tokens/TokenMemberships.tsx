import { useState } from 'react';
import { Text } from '@mantine/core';
import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import { ChannelField } from '../../fields/ChannelField.tsx';
import {
  SubscribeTokenDocument,
  TokenChannelsDocument,
  UnsubscribeTokenDocument,
  type ChannelRowFragment,
} from '../../generated/operations.ts';
import { usePages } from '../../api/use-pages.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { ChannelLink } from '../../parts/links.tsx';
import { PagedTable } from '../../parts/PagedTable.tsx';
import { Section } from '../../parts/Section.tsx';

const column = createColumnHelper<ChannelRowFragment>();

/** The channels that a token is subscribed to. A revoked one cannot be subscribed. */
export function TokenMemberships({ id, isRevoked }: { id: string; isRevoked: boolean }) {
  const [channel, setChannel] = useState('');
  const pages = usePages(TokenChannelsDocument, { id }, ({ token }) => token?.channels);
  const columns = [
    column.accessor('id', { header: 'Channel', cell: ({ getValue }) => <ChannelLink id={getValue()} /> }),
    column.accessor('type', { header: 'Type' }),
    column.display({
      id: 'actions',
      header: 'Actions',
      cell: ({ row: { original } }) => <Unsubscribe token={id} channel={original.id} />,
    }),
  ] as ColumnDef<ChannelRowFragment>[];
  return (
    <Section
      title="Subscribed channels"
      about="Memberships survive restarts; every live connection of the token follows at once."
      actions={
        !isRevoked && (
          <ActionButton
            label="Subscribe to a channel"
            scope="CHANNELS"
            operation={SubscribeTokenDocument}
            variables={{ channel, token: id }}
            submit="Subscribe"
            onDone={() => setChannel('')}
          >
            <ChannelField
              value={channel}
              onChange={setChannel}
              description="The id of a channel that exists; the page “Channels” creates one."
            />
          </ActionButton>
        )
      }
    >
      <PagedTable
        label="Subscribed channels"
        columns={columns}
        pages={pages}
        rowId={(row) => row.id}
        empty={
          <EmptyState title="No channels">
            Subscribe the token to a channel: its connections receive every message from then on.
          </EmptyState>
        }
      />
    </Section>
  );
}

function Unsubscribe({ token, channel }: { token: string; channel: string }) {
  return (
    <ActionButton
      label="Unsubscribe"
      accessibleName={`Unsubscribe from ${channel}`}
      size="compact-sm"
      scope="CHANNELS"
      operation={UnsubscribeTokenDocument}
      variables={{ channel, token }}
      submit="Unsubscribe"
    >
      <Text size="sm">The connections of the token stop receiving {channel} at once.</Text>
    </ActionButton>
  );
}
