import { Group, NativeSelect, TextInput } from '@mantine/core';
import { type Whom } from './whom.ts';

/** Chooses a token or an identity. */
export function WhomField({ whom, onChange }: { whom: Whom; onChange(whom: Whom): void }) {
  return (
    <Group gap="sm" align="flex-end" grow preventGrowOverflow={false} wrap="wrap">
      <NativeSelect
        label="Whom"
        value={whom.kind}
        onChange={(event) =>
          onChange({ ...whom, kind: event.currentTarget.value === 'token' ? 'token' : 'identity' })
        }
        data={[
          { value: 'token', label: 'One token' },
          { value: 'identity', label: 'All tokens of an identity' },
        ]}
      />
      <TextInput
        label={whom.kind === 'token' ? 'Token' : 'Identity'}
        placeholder={whom.kind === 'token' ? 'token_…' : 'ada'}
        required
        value={whom.value}
        onChange={(event) => onChange({ ...whom, value: event.currentTarget.value })}
      />
    </Group>
  );
}
