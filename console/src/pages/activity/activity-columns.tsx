import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import { type FollowActivitySubscription } from '../../generated/operations.ts';
import { type Numbered } from '../../api/use-live.ts';
import { shortJson } from '../../parts/json.ts';
import { ChannelLink, IdentityLink, TokenLink } from '../../parts/links.tsx';
import { Tag, type Tone } from '../../parts/Tag.tsx';
import { ClockTime } from '../../parts/Time.tsx';

type Activity = FollowActivitySubscription['activity'];

const column = createColumnHelper<Numbered<Activity>>();

/** The columns of the activity of a project and of a token. */
export const ACTIVITY_COLUMNS = [
  column.accessor(({ entry }) => entry.at, {
    id: 'at',
    header: 'Time',
    cell: ({ getValue }) => <ClockTime at={getValue()} />,
  }),
  column.accessor(({ entry }) => entry.action, {
    id: 'action',
    header: 'Action',
    cell: ({ row: { original } }) => <Tag tone={toneOf(original.entry)}>{original.entry.action}</Tag>,
  }),
  column.accessor(({ entry }) => entry.identity ?? entry.token, {
    id: 'client',
    header: 'Client',
    cell: ({ row: { original } }) => {
      const { identity, token } = original.entry;
      return identity === null ? <TokenLink id={token} /> : <IdentityLink identity={identity} />;
    },
  }),
  column.accessor(({ entry }) => entry.channel, {
    id: 'channel',
    header: 'Channel',
    cell: ({ getValue }) => <ChannelLink id={getValue()} />,
  }),
  column.accessor(({ entry }) => describe(entry), {
    id: 'details',
    header: 'Details',
    cell: ({ getValue }) => <div className="wrap">{getValue()}</div>,
  }),
] as ColumnDef<Numbered<Activity>>[];

function toneOf({ kind }: Activity): Tone {
  if (kind === 'REFUSAL') return 'bad';
  return kind === 'MODERATION' || kind === 'SKIPPED' ? 'warn' : 'plain';
}

/** The rest of an activity in one line. */
function describe(activity: Activity): string {
  const { kind, code, sentence, reason, field, event, data, actor, count, subject } = activity;
  const parts = [
    event,
    data === null ? null : shortJson(data),
    code === null ? null : `${field ?? ''} ${code}`.trim(),
    sentence,
    reason,
    count === null ? null : kind === 'SKIPPED' ? `${count} left out, they came too fast` : `${count} more`,
    subject === null ? null : `on ${subject}`,
    actor === null ? null : `by ${actor}`,
  ];
  return parts.filter((part) => part !== null && part !== '').join(' · ');
}
