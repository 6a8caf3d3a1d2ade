import { useState } from 'react';
import { Text, TextInput } from '@mantine/core';
import { tokenOrIdentityArguments, type TokenOrIdentity } from '../../fields/token-or-identity.ts';
import { TokenOrIdentityField } from '../../fields/TokenOrIdentityField.tsx';
import { DisconnectDocument } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';

interface Properties {
  /** Absent: the form has a field for it. */
  target?: { connection: string } | { token: string };
  isSmall?: boolean;
}

/** Closes live connections. Their tokens stay valid. */
export function Disconnect({ target, isSmall = false }: Properties) {
  const [chosen, setChosen] = useState<TokenOrIdentity>({ kind: 'token', value: '' });
  const [reason, setReason] = useState('');
  const name = target && Object.values(target)[0];
  return (
    <ActionButton
      label="Disconnect"
      {...(name !== undefined && { accessibleName: isSmall ? `Disconnect ${name}` : 'Disconnect' })}
      {...(isSmall && { size: 'compact-sm' })}
      scope="MODERATE"
      operation={DisconnectDocument}
      variables={{ ...(target ?? tokenOrIdentityArguments(chosen)), ...(reason !== '' && { reason }) }}
      submit="Disconnect"
    >
      {!target && <TokenOrIdentityField value={chosen} onChange={setChosen} />}
      <TextInput
        label="Reason"
        description="The client is shown it."
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Text size="sm">The connections close; a client may connect again. Ban or revoke to keep it out.</Text>
    </ActionButton>
  );
}
