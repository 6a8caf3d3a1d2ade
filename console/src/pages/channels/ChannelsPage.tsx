import { NativeSelect, Stack } from '@mantine/core';
import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import { ChannelsDocument, type ChannelRowFragment, type ChannelType } from '../../generated/operations.ts';
import { usePages } from '../../api/use-pages.ts';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { ChannelLink } from '../../parts/links.tsx';
import { PagedTable } from '../../parts/PagedTable.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { Time } from '../../parts/Time.tsx';
import { replaceParam, useRoute } from '../../routing/route.ts';
import { useScope } from '../../client/session-context.ts';
import { CreateChannel } from './CreateChannel.tsx';
import { CHANNEL_TYPES } from '../../fields/channel-types.ts';
import { describeHistory } from './history-policy.ts';

const REFRESH_SECONDS = 10;

const column = createColumnHelper<ChannelRowFragment>();
const COLUMNS = [
  column.accessor('id', { header: 'Channel', cell: ({ getValue }) => <ChannelLink id={getValue()} /> }),
  column.accessor(({ kind, type }) => (kind === null ? type : `${kind} (${type})`), {
    id: 'type',
    header: 'Type',
  }),
  column.accessor(({ history }) => describeHistory(history), { id: 'history', header: 'History' }),
  column.accessor('version', { header: 'State version' }),
  column.accessor('createdAt', { header: 'Created', cell: ({ getValue }) => <Time at={getValue()} /> }),
] as ColumnDef<ChannelRowFragment>[];

/** Finds and creates channels. */
export function ChannelsPage() {
  const { params } = useRoute();
  const type: ChannelType | undefined = CHANNEL_TYPES.find((name) => name === params.get('type'));
  const variables = type === undefined ? {} : { type };
  const pages = usePages(ChannelsDocument, variables, ({ channels }) => channels, REFRESH_SECONDS);
  const mayCreate = useScope('CHANNELS');
  return (
    <>
      <PageHeader
        title="Channels"
        about="Messages are published to channels and delivered to their subscribers."
      >
        <CreateChannel />
      </PageHeader>
      <Stack gap="sm">
        <NativeSelect
          label="Type"
          maw="16rem"
          value={type ?? ''}
          onChange={(event) => replaceParam('type', event.currentTarget.value)}
          data={[{ value: '', label: 'All' }, ...CHANNEL_TYPES]}
        />
        <PagedTable
          label="Channels"
          columns={COLUMNS}
          pages={pages}
          rowId={({ id }) => id}
          empty={
            <EmptyState title="No channels">
              {mayCreate
                ? 'Create a channel, subscribe a token to it, then publish a message.'
                : 'A backend creates channels with createChannel.'}
            </EmptyState>
          }
        />
        <GraphqlPreview document={ChannelsDocument} variables={variables} />
      </Stack>
    </>
  );
}
