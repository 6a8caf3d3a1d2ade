import { Stack } from '@mantine/core';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { useScope } from '../../client/session-context.ts';
import { ApiKeys } from './ApiKeys.tsx';
import { Issuers } from './Issuers.tsx';

/** Who may call the API and who may sign credentials. */
export function KeysPage() {
  const mayListKeys = useScope('KEYS');
  const mayListIssuers = useScope('READ');
  return (
    <>
      <PageHeader title="Issuers & keys" about="Who may call the API, and whose credentials are accepted." />
      <Stack gap="md">
        {mayListKeys && <ApiKeys />}
        {mayListIssuers && <Issuers />}
      </Stack>
    </>
  );
}
