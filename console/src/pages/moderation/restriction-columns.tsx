import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import { type RestrictionFragment } from '../../generated/operations.ts';
import { ChannelLink, IdentityLink, TokenLink } from '../../parts/links.tsx';
import { Tag } from '../../parts/Tag.tsx';
import { Time } from '../../parts/Time.tsx';
import { Lift } from './Lift.tsx';

const column = createColumnHelper<RestrictionFragment>();

/** The columns of every list of mutes and bans. */
export const RESTRICTION_COLUMNS = [
  column.accessor('kind', {
    header: 'Kind',
    cell: ({ getValue }) => <Tag tone={getValue() === 'BAN' ? 'bad' : 'warn'}>{getValue()}</Tag>,
  }),
  column.accessor(({ token, identity }) => token ?? identity, {
    id: 'client',
    header: 'Client',
    cell: ({ row: { original } }) =>
      original.token === null ? (
        <IdentityLink identity={original.identity} />
      ) : (
        <TokenLink id={original.token} />
      ),
  }),
  column.accessor('channel', {
    header: 'Channel',
    cell: ({ getValue }) => (getValue() === null ? 'all channels' : <ChannelLink id={getValue()} />),
  }),
  column.accessor('reason', {
    header: 'Reason',
    cell: ({ getValue }) => <div className="wrap">{getValue() ?? '—'}</div>,
  }),
  column.accessor('until', {
    header: 'Until',
    cell: ({ getValue }) => <Time at={getValue()} none="no end" />,
  }),
  column.display({
    id: 'actions',
    header: 'Actions',
    cell: ({ row: { original } }) => <Lift restriction={original} />,
  }),
] as ColumnDef<RestrictionFragment>[];
