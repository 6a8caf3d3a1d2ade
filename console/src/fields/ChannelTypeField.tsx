import { NativeSelect } from '@mantine/core';
import { ProjectSettingsDocument, type ChannelType } from '../generated/operations.ts';
import { useOperation } from '../api/use-operation.ts';
import { CHANNEL_TYPES, TYPE_CHOICES } from './channel-types.ts';
import { useSession } from '../client/session-context.ts';

const KIND = 'kind:';

/** The arguments `type` or `kind` of a choice. */
export function typeArguments(choice: string): { type?: ChannelType; kind?: string } {
  if (choice.startsWith(KIND)) return { kind: choice.slice(KIND.length) };
  const type = CHANNEL_TYPES.find((name) => name === choice);
  return type === undefined ? {} : { type };
}

/** The choice that a channel has now. */
export function typeChoice({ type, kind }: { type: ChannelType; kind: string | null }): string {
  return kind === null ? type : KIND + kind;
}

/** Chooses a type of channel or a custom kind of the project. */
export function ChannelTypeField({ value, onChange }: { value: string; onChange(value: string): void }) {
  const { apiKey } = useSession();
  const { data } = useOperation(ProjectSettingsDocument, {}, { enabled: apiKey.channels === null });
  const kinds = data?.project.settings?.permissions.kinds ?? [];
  return (
    <NativeSelect
      label="Type"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={[
        ...TYPE_CHOICES,
        ...kinds.map(({ name, type }) => ({ value: KIND + name, label: `${name} (${type})` })),
      ]}
    />
  );
}
