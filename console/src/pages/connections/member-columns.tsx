import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import { type MemberFragment } from '../../generated/operations.ts';
import { shortJson } from '../../parts/json.ts';
import { IdentityLink, TokenLink } from '../../parts/links.tsx';
import { Time } from '../../parts/Time.tsx';
import { Disconnect } from './Disconnect.tsx';

const column = createColumnHelper<MemberFragment>();

/** The columns of a list of connections in one channel or of one token. */
export const MEMBER_COLUMNS = [
  column.accessor('id', {
    header: 'Connection',
    cell: ({ getValue }) => <span className="json-inline">{getValue()}</span>,
  }),
  column.accessor('identity', {
    header: 'Identity',
    cell: ({ getValue }) => <IdentityLink identity={getValue()} />,
  }),
  column.accessor('token', { header: 'Token', cell: ({ getValue }) => <TokenLink id={getValue()} /> }),
  column.accessor('transport', { header: 'Transport' }),
  column.accessor('connectedAt', { header: 'Since', cell: ({ getValue }) => <Time at={getValue()} /> }),
  column.accessor(({ state }) => (state === null ? '—' : shortJson(state, 60)), {
    id: 'state',
    header: 'Presence state',
  }),
  column.display({
    id: 'actions',
    header: 'Actions',
    cell: ({ row }) => <Disconnect target={{ connection: row.original.id }} isSmall />,
  }),
] as ColumnDef<MemberFragment>[];
