import { Loader, Stack } from '@mantine/core';
import { ChannelDetailsDocument } from '../../generated/operations.ts';
import { useOperation } from '../../api/use-operation.ts';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { Details } from '../../parts/Details.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { Section } from '../../parts/Section.tsx';
import { Time } from '../../parts/Time.tsx';
import { useScope, useSession } from '../../client/session-context.ts';
import { PublishForm } from '../messages/PublishForm.tsx';
import { ChannelActions } from './ChannelActions.tsx';
import { ChannelHistory } from './ChannelHistory.tsx';
import { ChannelMembers } from './ChannelMembers.tsx';
import { ChannelState } from './ChannelState.tsx';
import { ChannelTail } from './ChannelTail.tsx';
import { ChannelTokens } from './ChannelTokens.tsx';
import { describeHistory } from './history-policy.ts';

const REFRESH_SECONDS = 5;

/** One channel: state, members, messages. */
export function ChannelPage({ id }: { id: string }) {
  const { data, error } = useOperation(ChannelDetailsDocument, { id }, { every: REFRESH_SECONDS });
  const mayPublish = useScope('PUBLISH');
  const { apiKey } = useSession();
  const channel = data?.channel;
  return (
    <>
      <PageHeader title={id} about="Channel">
        {channel && <ChannelActions channel={channel} />}
      </PageHeader>
      <ErrorNotice error={error} />
      {!channel && !error && <Loader aria-label="Loading" />}
      {channel && (
        <Stack gap="md">
          <Section title="Record">
            <Details
              entries={[
                ['Type', channel.kind === null ? channel.type : `${channel.kind} (${channel.type})`],
                ['History', describeHistory(channel.history)],
                ['Created', <Time at={channel.createdAt} />],
                ['State version', channel.version],
              ]}
            />
          </Section>
          <ChannelTail id={id} />
          {mayPublish && (
            <Section title="Publish">
              <PublishForm channel={id} />
            </Section>
          )}
          <ChannelHistory id={id} />
          <ChannelMembers id={id} />
          {apiKey.channels === null && <ChannelTokens id={id} />}
          <ChannelState channel={channel} />
          <GraphqlPreview document={ChannelDetailsDocument} variables={{ id }} />
        </Stack>
      )}
    </>
  );
}
