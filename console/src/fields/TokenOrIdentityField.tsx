import { Group, NativeSelect, TextInput } from '@mantine/core';
import { type TokenOrIdentity } from './token-or-identity.ts';

/** Chooses a token or an identity. */
export function TokenOrIdentityField({
  value,
  onChange,
}: {
  value: TokenOrIdentity;
  onChange(value: TokenOrIdentity): void;
}) {
  return (
    <Group gap="sm" align="flex-end" grow preventGrowOverflow={false} wrap="wrap">
      <NativeSelect
        label="Client"
        value={value.kind}
        onChange={(event) =>
          onChange({ ...value, kind: event.currentTarget.value === 'token' ? 'token' : 'identity' })
        }
        data={[
          { value: 'token', label: 'One token' },
          { value: 'identity', label: 'All tokens of an identity' },
        ]}
      />
      <TextInput
        label={value.kind === 'token' ? 'Token' : 'Identity'}
        placeholder={value.kind === 'token' ? 'token_…' : 'For example ada'}
        required
        value={value.value}
        onChange={(event) => onChange({ ...value, value: event.currentTarget.value })}
      />
    </Group>
  );
}
