import { useState } from 'react';
import { NativeSelect } from '@mantine/core';
import { LIFETIMES, secondsOf } from '../../fields/lifetime.ts';
import { CreateCredentialDocument } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { CredentialDialog } from './CredentialDialog.tsx';

const CHOICES = LIFETIMES.map((choice) =>
  choice.value === '' ? { ...choice, label: 'Keep the expiry' } : choice,
);

/** Creates another credential for a token, to renew it or to open the test client. */
export function RenewCredential({ id }: { id: string }) {
  const [lifetime, setLifetime] = useState('');
  const [credential, setCredential] = useState<string>();
  const expiresIn = secondsOf(lifetime);
  return (
    <>
      <ActionButton
        label="New credential"
        scope="TOKENS"
        variant="filled"
        operation={CreateCredentialDocument}
        variables={{ token: id, ...(expiresIn !== undefined && { expiresIn }) }}
        submit="Create credential"
        onDone={({ createCredential }) => setCredential(createCredential.credential)}
      >
        <NativeSelect
          label="Extend the token to"
          description="From now; a token is never shortened."
          value={lifetime}
          onChange={(event) => setLifetime(event.currentTarget.value)}
          data={CHOICES}
        />
      </ActionButton>
      {credential !== undefined && (
        <CredentialDialog
          token={undefined}
          credential={credential}
          onClose={() => setCredential(undefined)}
        />
      )}
    </>
  );
}
