import { useState } from 'react';
import { Checkbox, Text } from '@mantine/core';
import { ChannelTypeField, typeArguments, typeChoice } from '../../fields/ChannelTypeField.tsx';
import { HistoryFields } from '../../fields/HistoryFields.tsx';
import {
  ChannelDetailsDocument,
  DeleteChannelDocument,
  UpdateChannelDocument,
  type ChannelRowFragment,
} from '../../generated/operations.ts';
import { useEdits } from '../../api/use-edits.ts';
import { useReread } from '../../api/use-operation.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { navigate } from '../../routing/route.ts';
import { historyOf } from './history-policy.ts';

const fieldsOf = (channel: ChannelRowFragment) => ({
  type: typeChoice(channel),
  // The mutation replaces both.
  history: {
    messages: (channel.history.messages ?? '') as number | string,
    seconds: (channel.history.seconds ?? '') as number | string,
  },
});

/** Changes or deletes a channel. */
export function ChannelActions({ channel }: { channel: ChannelRowFragment }) {
  const { id } = channel;
  const read = useReread(ChannelDetailsDocument, { id });
  const { values, changes, change, reset, basis } = useEdits(fieldsOf(channel), async () => {
    const { channel: stored } = await read();
    return stored ? fieldsOf(stored) : undefined;
  });
  const { type, history } = values;
  const [keepMemberships, setKeepMemberships] = useState(false);
  const becomesPrivate = changes.type === 'PRIVATE';
  const input = {
    ...(changes.type !== undefined && typeArguments(type)),
    ...(becomesPrivate && keepMemberships && { keepMemberships }),
    ...(changes.history && { history: historyOf(history.messages, history.seconds) }),
  };
  return (
    <>
      <ActionButton
        label="Edit"
        title="Edit the channel"
        scope="CHANNELS"
        operation={UpdateChannelDocument}
        variables={{ id, input }}
        basis={basis}
        problem={Object.keys(input).length === 0 ? 'Change a field; only what differs is sent.' : undefined}
        submit="Save"
        onOpen={() => {
          reset();
          setKeepMemberships(false);
        }}
      >
        <ChannelTypeField value={type} onChange={(chosen) => change({ type: chosen })} />
        {becomesPrivate && (
          <Checkbox
            label="Keep the tokens that subscribed themselves"
            checked={keepMemberships}
            onChange={(event) => setKeepMemberships(event.currentTarget.checked)}
          />
        )}
        <HistoryFields
          messages={history.messages}
          seconds={history.seconds}
          onMessages={(messages) => change({ history: { ...history, messages } })}
          onSeconds={(seconds) => change({ history: { ...history, seconds } })}
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
