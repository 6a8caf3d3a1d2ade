import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import { type TokenRowFragment } from '../../generated/operations.ts';
import { IdentityLink, TokenLink } from '../../parts/links.tsx';
import { Tag } from '../../parts/Tag.tsx';
import { Time } from '../../parts/Time.tsx';
import { statusOf } from './token-status.ts';

const column = createColumnHelper<TokenRowFragment>();

/** The columns of every list of tokens. */
export const TOKEN_COLUMNS = [
  column.accessor('id', { header: 'Token', cell: ({ getValue }) => <TokenLink id={getValue()} /> }),
  column.accessor('identity', {
    header: 'Identity',
    cell: ({ getValue }) => <IdentityLink identity={getValue()} />,
  }),
  column.accessor((token) => statusOf(token)[0], {
    id: 'status',
    header: 'Status',
    cell({ row }) {
      const [word, tone] = statusOf(row.original);
      return <Tag tone={tone}>{word}</Tag>;
    },
  }),
  column.accessor(({ role, customRole }) => customRole ?? role, { id: 'role', header: 'Role' }),
  column.accessor('origin', { header: 'Origin' }),
  column.accessor('expiresAt', {
    header: 'Expires',
    cell: ({ getValue }) => <Time at={getValue()} none="never" />,
  }),
  column.accessor('createdAt', { header: 'Created', cell: ({ getValue }) => <Time at={getValue()} /> }),
] as ColumnDef<TokenRowFragment>[];
