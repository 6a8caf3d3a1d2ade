import { useState } from 'react';
import { Checkbox, Text } from '@mantine/core';
import { ChannelTypeField, typeArguments, typeChoice } from '../../fields/ChannelTypeField.tsx';
import { HistoryFields } from '../../fields/HistoryFields.tsx';
import {
  DeleteChannelDocument,
  UpdateChannelDocument,
  type ChannelRowFragment,
} from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { navigate } from '../../routing/route.ts';
import { historyOf } from './history-policy.ts';

const draftOf = (channel: ChannelRowFragment) => ({
  type: typeChoice(channel),
  keepMemberships: false,
  messages: (channel.history.messages ?? '') as number | string,
  seconds: (channel.history.seconds ?? '') as number | string,
});

/** Changes or deletes a channel. */
export function ChannelActions({ channel }: { channel: ChannelRowFragment }) {
  const { id } = channel;
  const [stored, setStored] = useState(() => draftOf(channel));
  const [draft, setDraft] = useState(stored);
  const { type, keepMemberships, messages, seconds } = draft;
  const change = (part: Partial<typeof draft>) => setDraft({ ...draft, ...part });
  const becomesPrivate = type === 'PRIVATE' && stored.type !== 'PRIVATE';
  const input = {
    ...(type !== stored.type && typeArguments(type)),
    ...(becomesPrivate && keepMemberships && { keepMemberships }),
    ...((messages !== stored.messages || seconds !== stored.seconds) && {
      history: historyOf(messages, seconds),
    }),
  };
  return (
    <>
      <ActionButton
        label="Edit"
        title="Edit the channel"
        scope="CHANNELS"
        operation={UpdateChannelDocument}
        variables={{ id, input }}
        problem={Object.keys(input).length === 0 ? 'Change a field; only what differs is sent.' : undefined}
        submit="Save"
        onOpen={() => {
          setStored(draftOf(channel));
          setDraft(draftOf(channel));
        }}
      >
        <ChannelTypeField value={type} onChange={(chosen) => change({ type: chosen })} />
        {becomesPrivate && (
          <Checkbox
            label="Keep the tokens that subscribed themselves"
            checked={keepMemberships}
            onChange={(event) => change({ keepMemberships: event.currentTarget.checked })}
          />
        )}
        <HistoryFields
          messages={messages}
          seconds={seconds}
          onMessages={(value) => change({ messages: value })}
          onSeconds={(value) => change({ seconds: value })}
        />
        <Text size="sm">Older messages than the history keeps are removed within seconds.</Text>
      </ActionButton>
      <ActionButton
        label="Delete"
        title={`Delete ${id}`}
        scope="CHANNELS"
        operation={DeleteChannelDocument}
        variables={{ id }}
        submit="Delete the channel, its memberships and its messages"
        isDangerous
        onDone={() => navigate(['channels'])}
      >
        <Text size="sm">Its subscribers stop receiving it at once. There is no undo.</Text>
      </ActionButton>
    </>
  );
}
