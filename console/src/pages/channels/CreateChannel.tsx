import { useState } from 'react';
import { TextInput } from '@mantine/core';
import { ChannelTypeField, typeArguments } from '../../fields/ChannelTypeField.tsx';
import { HistoryFields } from '../../fields/HistoryFields.tsx';
import { JsonField } from '../../fields/JsonField.tsx';
import { CreateChannelDocument } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { parseJson } from '../../parts/json.ts';
import { navigate } from '../../routing/route.ts';
import { historyOf } from './history-policy.ts';

/** Creates a channel and opens its page. */
export function CreateChannel() {
  const [id, setId] = useState('');
  const [type, setType] = useState('PRIVATE');
  const [messages, setMessages] = useState<number | string>('');
  const [seconds, setSeconds] = useState<number | string>('');
  const [text, setText] = useState('');
  const { value: state, problem } = parseJson(text, 'The state');
  const history = historyOf(messages, seconds);
  const input = {
    ...(id !== '' && { id }),
    ...typeArguments(type),
    ...((history.messages !== null || history.seconds !== null) && { history }),
    ...(state !== undefined && { state }),
  };
  return (
    <ActionButton
      label="Create channel"
      variant="filled"
      scope="CHANNELS"
      operation={CreateChannelDocument}
      variables={{ input }}
      problem={problem}
      submit="Create channel"
      onDone={({ createChannel }) => navigate(['channels', createChannel.id])}
    >
      <TextInput
        label="Id"
        description="Letters, digits and _ . : @ -, for example room:1."
        placeholder="Generated when empty"
        value={id}
        data-autofocus
        onChange={(event) => setId(event.currentTarget.value)}
      />
      <ChannelTypeField value={type} onChange={setType} />
      <HistoryFields messages={messages} seconds={seconds} onMessages={setMessages} onSeconds={setSeconds} />
      <JsonField
        label="State"
        description="JSON that every subscriber can read."
        rows={2}
        text={text}
        onChange={setText}
      />
    </ActionButton>
  );
}
