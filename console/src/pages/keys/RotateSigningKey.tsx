import { useState } from 'react';
import { Text } from '@mantine/core';
import { OverlapField } from '../../fields/OverlapField.tsx';
import { RotateSigningKeyDocument } from '../../generated/operations.ts';
import { useSession } from '../../client/session-context.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';

/** Creates a new key with which the service signs credentials. Shown to the operator only, because all projects have one. */
export function RotateSigningKey() {
  const { apiKey } = useSession();
  const [overlap, setOverlap] = useState('2592000');
  if (!apiKey.isOperator) return null;
  return (
    <ActionButton
      label="Rotate the signing key"
      scope="KEYS"
      operation={RotateSigningKeyDocument}
      variables={{ overlapSeconds: Number(overlap) }}
      submit="Create a new signing key"
    >
      <Text size="sm">The service signs new credentials of all projects with a new key.</Text>
      <OverlapField
        label="Accept older credentials for"
        description="At most until they expire."
        value={overlap}
        onChange={setOverlap}
      />
    </ActionButton>
  );
}
