import { Group, NumberInput } from '@mantine/core';

interface Properties {
  messages: number | string;
  seconds: number | string;
  onMessages(value: number | string): void;
  onSeconds(value: number | string): void;
}

/** How many messages a channel keeps, and for how long. */
export function HistoryFields({ messages, seconds, onMessages, onSeconds }: Properties) {
  return (
    <Group grow align="flex-start">
      <NumberInput
        label="Messages to keep"
        description="0: none. Empty: the limit of the service."
        min={0}
        allowDecimal={false}
        hideControls
        value={messages}
        onChange={onMessages}
      />
      <NumberInput
        label="Seconds to keep"
        description="Empty: the limit of the service."
        min={0}
        allowDecimal={false}
        hideControls
        value={seconds}
        onChange={onSeconds}
      />
    </Group>
  );
}
