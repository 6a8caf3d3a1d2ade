import { useState } from 'react';
import { NativeSelect, Text } from '@mantine/core';
import { LIFETIMES } from '../../fields/lifetime.ts';
import { RotateSigningKeyDocument } from '../../generated/operations.ts';
import { useSession } from '../../client/session-context.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';

const OVERLAPS = LIFETIMES.map((choice) =>
  choice.value === '' ? { value: '0', label: 'None: refuse them at once' } : choice,
);

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
      <NativeSelect
        label="Accept older credentials for"
        description="At most until they expire."
        value={overlap}
        onChange={(event) => setOverlap(event.currentTarget.value)}
        data={OVERLAPS}
      />
    </ActionButton>
  );
}
