import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import { type FollowActivitySubscription } from '../../generated/operations.ts';
import { shortJson } from '../../parts/json.ts';
import { ChannelLink, IdentityLink, TokenLink } from '../../parts/links.tsx';
import { Tag, type Tone } from '../../parts/Tag.tsx';
import { ClockTime } from '../../parts/Time.tsx';

type Activity = FollowActivitySubscription['activity'];

/** An activity with its number since the page was opened. */
export type NumberedActivity = Activity & { readonly number: number };

const column = createColumnHelper<NumberedActivity>();

/** The columns of the activity of a project and of a token. */
export const ACTIVITY_COLUMNS = [
  column.accessor('at', { header: 'Time', cell: ({ getValue }) => <ClockTime at={getValue()} /> }),
  column.accessor('action', {
    header: 'Action',
    cell: ({ row: { original } }) => <Tag tone={toneOf(original)}>{original.action}</Tag>,
  }),
  column.accessor(({ identity, token }) => identity ?? token, {
    id: 'whom',
    header: 'Whom',
    cell: ({ row: { original } }) =>
      original.identity === null ? (
        <TokenLink id={original.token} />
      ) : (
        <IdentityLink identity={original.identity} />
      ),
  }),
  column.accessor('channel', {
    header: 'Channel',
    cell: ({ getValue }) => <ChannelLink id={getValue()} />,
  }),
  column.accessor((activity) => describe(activity), {
    id: 'details',
    header: 'Details',
    cell: ({ getValue }) => <div className="wrap">{getValue()}</div>,
  }),
] as ColumnDef<NumberedActivity>[];

function toneOf({ kind }: Activity): Tone {
  if (kind === 'REFUSAL') return 'bad';
  return kind === 'MODERATION' || kind === 'SKIPPED' ? 'warn' : 'plain';
}

/** The rest of an activity in one line. */
function describe({ code, sentence, reason, field, event, data, actor, count, subject }: Activity): string {
  const parts = [
    event,
    data === null ? null : shortJson(data),
    code === null ? null : `${field ?? ''} ${code}`.trim(),
    sentence,
    reason,
    count === null ? null : `${count} more`,
    subject === null ? null : `on ${subject}`,
    actor === null ? null : `by ${actor}`,
  ];
  return parts.filter((part) => part !== null && part !== '').join(' · ');
}
