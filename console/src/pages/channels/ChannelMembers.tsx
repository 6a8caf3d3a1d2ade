import { useEffect } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { ChannelMembersDocument, FollowPresenceDocument } from '../../generated/operations.ts';
import { useLive } from '../../api/use-live.ts';
import { usePages } from '../../api/use-pages.ts';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { PagedTable } from '../../parts/PagedTable.tsx';
import { Section } from '../../parts/Section.tsx';
import { MEMBER_COLUMNS } from '../connections/member-columns.tsx';

/** How long the list waits after a change, so that a burst of joins is one read. */
const SETTLE_MS = 500;

/** Who is connected to a channel; the list follows joins and leaves. */
export function ChannelMembers({ id }: { id: string }) {
  const queries = useQueryClient();
  const pages = usePages(ChannelMembersDocument, { id }, ({ channel }) => channel?.presence.members);
  const { count } = useLive(FollowPresenceDocument, { channel: id }, ({ presence }) => presence.change);
  useEffect(() => {
    if (count === 0) return;
    const timer = setTimeout(
      () => void queries.invalidateQueries({ queryKey: [ChannelMembersDocument] }),
      SETTLE_MS,
    );
    return () => clearTimeout(timer);
  }, [count, queries]);
  return (
    <Section title="Members now" about="Connections that receive the channel. They join and leave live.">
      <PagedTable
        label="Members now"
        columns={MEMBER_COLUMNS}
        pages={pages}
        rowId={(row) => row.id}
        empty={
          <EmptyState title="No members">
            A member is a connection of a token that is subscribed to the channel.
          </EmptyState>
        }
      />
    </Section>
  );
}
