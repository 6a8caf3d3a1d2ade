import { Checkbox, TextInput } from '@mantine/core';
import { JsonField } from '../../fields/JsonField.tsx';
import { type MessageDraft } from './message-draft.ts';

/** The fields of a message, without its address. */
export function MessageFields({
  draft,
  onChange,
}: {
  draft: MessageDraft;
  onChange(draft: MessageDraft): void;
}) {
  const change = (part: Partial<MessageDraft>) => onChange({ ...draft, ...part });
  return (
    <>
      <TextInput
        label="Event"
        required
        withAsterisk={false}
        value={draft.event}
        onChange={(event) => change({ event: event.currentTarget.value })}
      />
      <JsonField label="Data" text={draft.data} onChange={(data) => change({ data })} />
      <Checkbox
        label="Ephemeral"
        description="Delivered to live connections only, never kept or replayed."
        checked={draft.isEphemeral}
        onChange={(event) => change({ isEphemeral: event.currentTarget.checked })}
      />
      <TextInput
        label="Idempotency key"
        description="A repeat with the same key within 24 hours publishes nothing."
        value={draft.idempotencyKey}
        onChange={(event) => change({ idempotencyKey: event.currentTarget.value })}
      />
    </>
  );
}
