import { useState } from 'react';
import { Alert, Text } from '@mantine/core';
import { ResealSecretsDocument } from '../../generated/operations.ts';
import { useSession } from '../../client/session-context.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';

/** Seals the stored secrets under the first master key. Shown to the operator only, because all projects share the master keys. */
export function ResealSecrets() {
  const { apiKey } = useSession();
  const [count, setCount] = useState<number>();
  if (!apiKey.isOperator) return null;
  return (
    <ActionButton
      label="Reseal the secrets"
      scope="KEYS"
      operation={ResealSecretsDocument}
      variables={{}}
      submit="Reseal"
      staysOpen
      onOpen={() => setCount(undefined)}
      onDone={({ resealSecrets }) => setCount(resealSecrets)}
    >
      <Text size="sm">
        After a change of SIGNALBOX_MASTER_KEY: seals every stored secret again under its first key.
        Afterwards the other master keys can be removed; backups from before still need them.
      </Text>
      {count !== undefined && (
        <Alert color="green" role="status">
          {count === 0
            ? 'Every secret was sealed under the first master key already.'
            : `${count} ${count === 1 ? 'secret was' : 'secrets were'} sealed under another master key.`}
        </Alert>
      )}
    </ActionButton>
  );
}
