import { useState } from 'react';
import { NativeSelect, Text, TextInput } from '@mantine/core';
import { RevokeTokensDocument } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';

type Scope = 'identity' | 'issuer' | 'all';

/** Revokes all credentials of an identity, an issuer or the project that were issued until now. */
export function RevokeMany() {
  const [scope, setScope] = useState<Scope>('identity');
  const [name, setName] = useState('');
  return (
    <ActionButton
      label="Revoke many"
      title="Revoke credentials"
      scope="TOKENS"
      operation={RevokeTokensDocument}
      variables={scope === 'all' ? { all: true } : { [scope]: name.trim() }}
      submit="Revoke and close their connections"
      isDangerous
    >
      <NativeSelect
        label="Whose credentials"
        value={scope}
        onChange={({ currentTarget: { value } }) =>
          setScope(value === 'all' || value === 'issuer' ? value : 'identity')
        }
        data={[
          { value: 'identity', label: 'One identity' },
          { value: 'issuer', label: 'One issuer or API key' },
          { value: 'all', label: 'The whole project' },
        ]}
      />
      {scope !== 'all' && (
        <TextInput
          label={scope === 'identity' ? 'Identity' : 'Issuer or API key'}
          required
          withAsterisk={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
      <Text size="sm">Credentials that are issued later are accepted. You can undo it on this page.</Text>
    </ActionButton>
  );
}
