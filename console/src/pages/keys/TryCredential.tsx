import { useState } from 'react';
import { Alert, Button, Stack } from '@mantine/core';
import { TryCredentialDocument } from '../../generated/operations.ts';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { TokenLink } from '../../parts/links.tsx';
import { tryCredential, type AcceptedToken } from './try-credential.ts';

/** Lets the service check a credential: its signature, its issuer, its times, revocations and bans. */
export function TryCredential({ credential }: { credential: string }) {
  const [outcome, setOutcome] = useState<{ token?: AcceptedToken | undefined; error?: unknown }>();
  const [isBusy, setBusy] = useState(false);
  async function connect(): Promise<void> {
    setBusy(true);
    setOutcome(
      await tryCredential(credential).then(
        (token) => ({ token }),
        (error: unknown) => ({ error }),
      ),
    );
    setBusy(false);
  }
  return (
    <Stack gap="sm">
      <Button variant="default" w="fit-content" loading={isBusy} onClick={() => void connect()}>
        Connect with it once
      </Button>
      {outcome?.error !== undefined && <ErrorNotice error={outcome.error} />}
      {outcome && outcome.error === undefined && <Accepted token={outcome.token} />}
      <GraphqlPreview document={TryCredentialDocument} variables={{}} />
    </Stack>
  );
}

function Accepted({ token }: { token: AcceptedToken | undefined }) {
  if (!token) return <Alert color="green">The service accepts it; it stands for no token.</Alert>;
  const { id, identity, role, customRole, expiresAt } = token;
  const end = expiresAt === null ? 'without an expiry' : `until ${expiresAt}`;
  return (
    <Alert color="green">
      The service accepts it as {identity ?? 'a token without an identity'}, {customRole ?? role}, {end}:{' '}
      <TokenLink id={id} />
    </Alert>
  );
}
