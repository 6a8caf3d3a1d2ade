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

/** Changes or deletes a channel. */
export function ChannelActions({ channel }: { channel: ChannelRowFragment }) {
  const { id } = channel;
  const [type, setType] = useState(typeChoice(channel));
  const [keepMemberships, setKeep] = useState(false);
  const [messages, setMessages] = useState<number | string>(channel.history.messages ?? '');
  const [seconds, setSeconds] = useState<number | string>(channel.history.seconds ?? '');
  return (
    <>
      <ActionButton
        label="Edit"
        title="Edit the channel"
        scope="CHANNELS"
        operation={UpdateChannelDocument}
        variables={{
          id,
          input: {
            ...(type !== typeChoice(channel) && typeArguments(type)),
            ...(keepMemberships && { keepMemberships }),
            history: historyOf(messages, seconds),
          },
        }}
        submit="Save"
      >
        <ChannelTypeField value={type} onChange={setType} />
        {type === 'PRIVATE' && channel.type !== 'PRIVATE' && (
          <Checkbox
            label="Keep the tokens that subscribed themselves"
            checked={keepMemberships}
            onChange={(event) => setKeep(event.currentTarget.checked)}
          />
        )}
        <HistoryFields
          messages={messages}
          seconds={seconds}
          onMessages={setMessages}
          onSeconds={setSeconds}
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
