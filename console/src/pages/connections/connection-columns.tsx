import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import { IdentityLink, TokenLink } from '../../parts/links.tsx';
import { Tag } from '../../parts/Tag.tsx';
import { Time } from '../../parts/Time.tsx';
import { Disconnect } from './Disconnect.tsx';
import { type LiveConnection } from './use-all-connections.ts';

const column = createColumnHelper<LiveConnection>();

/** How many channel ids a row names. */
const NAMED_CHANNELS = 3;

/** The columns of the list of all connections. */
export const CONNECTION_COLUMNS = [
  column.accessor(({ connection }) => connection.id, {
    id: 'id',
    header: 'Connection',
    cell: ({ getValue }) => <span className="json-inline">{getValue()}</span>,
  }),
  column.accessor(({ connection }) => connection.identity ?? connection.token, {
    id: 'client',
    header: 'Client',
    cell: ({ row: { original } }) => <ClientLink connection={original.connection} />,
  }),
  column.accessor(({ channels }) => channels.length, {
    id: 'channels',
    header: 'Channels',
    cell: ({ row: { original } }) => describeChannels(original.channels),
  }),
  column.accessor(({ connection }) => connection.transport, { id: 'transport', header: 'Transport' }),
  column.accessor('subscriptions', { header: 'Subscriptions', cell: ({ getValue }) => getValue() ?? '—' }),
  column.accessor('queuedBytes', { header: 'Queued bytes', cell: ({ getValue }) => getValue() ?? '—' }),
  column.accessor('isCaughtUp', {
    header: 'Position',
    cell: ({ getValue }) => {
      const isCaughtUp = getValue();
      if (isCaughtUp === null) return '—';
      return <Tag tone={isCaughtUp ? 'good' : 'warn'}>{isCaughtUp ? 'live' : 'replaying'}</Tag>;
    },
  }),
  column.accessor(({ connection }) => connection.connectedAt, {
    id: 'since',
    header: 'Since',
    cell: ({ getValue }) => <Time at={getValue()} />,
  }),
  column.display({
    id: 'actions',
    header: 'Actions',
    cell: ({ row }) => <Disconnect target={{ connection: row.original.connection.id }} isSmall />,
  }),
] as ColumnDef<LiveConnection>[];

function describeChannels(channels: readonly string[]): string {
  if (channels.length === 0) return '—';
  const named = channels.slice(0, NAMED_CHANNELS).join(', ');
  return channels.length > NAMED_CHANNELS ? `${named} and ${channels.length - NAMED_CHANNELS} more` : named;
}

/** The identity, which leads to its tokens; without one, the token. API keys and anonymous callers have neither. */
function ClientLink({ connection: { identity, token } }: Pick<LiveConnection, 'connection'>) {
  if (identity === null && token === null) return 'no token';
  return identity === null ? <TokenLink id={token} /> : <IdentityLink identity={identity} />;
}
