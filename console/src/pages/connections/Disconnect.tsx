import { useState } from 'react';
import { Text, TextInput } from '@mantine/core';
import { whomArguments, type Whom } from '../../fields/whom.ts';
import { WhomField } from '../../fields/WhomField.tsx';
import { DisconnectDocument } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';

interface Properties {
  /** Absent: the form asks whom. */
  target?: { connection: string } | { token: string };
  isSmall?: boolean;
}

/** Closes live connections. Their tokens stay valid. */
export function Disconnect({ target, isSmall = false }: Properties) {
  const [chosen, setChosen] = useState<Whom>({ kind: 'token', value: '' });
  const [reason, setReason] = useState('');
  const name = target && Object.values(target)[0];
  return (
    <ActionButton
      label="Disconnect"
      {...(name !== undefined && { accessibleName: isSmall ? `Disconnect ${name}` : 'Disconnect' })}
      {...(isSmall && { size: 'compact-sm' })}
      scope="MODERATE"
      operation={DisconnectDocument}
      variables={{ ...(target ?? whomArguments(chosen)), ...(reason !== '' && { reason }) }}
      submit="Disconnect"
    >
      {!target && <WhomField whom={chosen} onChange={setChosen} />}
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
