import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import { type MessageRowFragment } from '../../generated/operations.ts';
import { shortJson } from '../../parts/json.ts';
import { IdentityLink, TokenLink } from '../../parts/links.tsx';
import { ClockTime } from '../../parts/Time.tsx';

const column = createColumnHelper<MessageRowFragment>();

/** The columns of messages of one channel. */
export const MESSAGE_COLUMNS = [
  column.accessor('publishedAt', { header: 'Time', cell: ({ getValue }) => <ClockTime at={getValue()} /> }),
  column.accessor('ordinal', { header: 'No.', cell: ({ getValue }) => getValue() ?? 'ephemeral' }),
  column.accessor('event', { header: 'Event' }),
  column.accessor(({ data }) => shortJson(data), {
    id: 'data',
    header: 'Data',
    cell: ({ getValue }) => <div className="wrap json-inline">{getValue()}</div>,
  }),
  column.accessor(({ sender }) => sender.identity ?? sender.token ?? sender.kind, {
    id: 'sender',
    header: 'Sender',
    cell: ({ row: { original } }) => <Sender sender={original.sender} />,
  }),
] as ColumnDef<MessageRowFragment>[];

function Sender({ sender: { kind, identity, token } }: { sender: MessageRowFragment['sender'] }) {
  if (identity !== null) return <IdentityLink identity={identity} />;
  return kind === 'API_KEY' ? <>API key</> : <TokenLink id={token} />;
}
