import { useState } from 'react';
import { Text } from '@mantine/core';
import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import {
  ApiKeysDocument,
  RevokeApiKeyDocument,
  RotateApiKeyDocument,
  type KeyFragment,
} from '../../generated/operations.ts';
import { usePages } from '../../api/use-pages.ts';
import { useSession } from '../../client/session-context.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { PagedTable } from '../../parts/PagedTable.tsx';
import { Section } from '../../parts/Section.tsx';
import { OverlapField } from '../../fields/OverlapField.tsx';
import { Tag } from '../../parts/Tag.tsx';
import { Time } from '../../parts/Time.tsx';
import { CreateApiKey } from './CreateApiKey.tsx';
import { ResealSecrets } from './ResealSecrets.tsx';
import { RotateSigningKey } from './RotateSigningKey.tsx';
import { SecretDialog } from '../../parts/SecretDialog.tsx';

const column = createColumnHelper<KeyFragment>();

/** The API keys of the project: create, rotate, revoke. */
export function ApiKeys() {
  const [secret, setSecret] = useState<string>();
  const pages = usePages(ApiKeysDocument, {}, ({ project }) => project.apiKeys);
  const columns = [
    column.accessor('id', {
      header: 'Key',
      cell: ({ getValue }) => <span className="json-inline">{getValue()}</span>,
    }),
    column.accessor('name', {
      header: 'Name',
      cell: ({ getValue }) => <div className="wrap">{getValue()}</div>,
    }),
    column.accessor(({ revokedAt }) => (revokedAt === null ? 'active' : 'revoked'), {
      id: 'status',
      header: 'Status',
      cell: ({ getValue }) => <Tag tone={getValue() === 'active' ? 'good' : 'bad'}>{getValue()}</Tag>,
    }),
    column.accessor(({ scopes }) => scopes?.join(', ') ?? 'everything', { id: 'scopes', header: 'Scopes' }),
    column.accessor('channels', { header: 'Channels', cell: ({ getValue }) => getValue() ?? 'all' }),
    column.accessor('expiresAt', {
      header: 'Expires',
      cell: ({ getValue }) => <Time at={getValue()} none="never" />,
    }),
    column.display({
      id: 'actions',
      header: 'Actions',
      cell: ({ row: { original } }) => <KeyActions apiKey={original} onSecret={setSecret} />,
    }),
  ] as ColumnDef<KeyFragment>[];
  return (
    <Section
      title="API keys"
      about="For backends and for this console. The secret of a key is shown once."
      actions={
        <>
          <ResealSecrets />
          <RotateSigningKey />
          <CreateApiKey onSecret={setSecret} />
        </>
      }
    >
      <PagedTable
        label="API keys"
        columns={columns}
        pages={pages}
        rowId={({ id }) => id}
        empty={<EmptyState title="No keys">Create a key with the scopes that its user needs.</EmptyState>}
      />
      {secret !== undefined && <SecretDialog secret={secret} onClose={() => setSecret(undefined)} />}
    </Section>
  );
}

function KeyActions({ apiKey, onSecret }: { apiKey: KeyFragment; onSecret(secret: string): void }) {
  const { apiKey: own } = useSession();
  const [overlap, setOverlap] = useState('86400');
  if (apiKey.revokedAt !== null) return null;
  const { id } = apiKey;
  const shared = { scope: 'KEYS', size: 'compact-sm' } as const;
  return (
    <div className="row-actions">
      <ActionButton
        {...shared}
        label="Rotate"
        accessibleName={`Rotate ${id}`}
        operation={RotateApiKeyDocument}
        variables={{ id, overlapSeconds: Number(overlap) }}
        submit="Create the successor"
        onDone={({ rotateApiKey }) => onSecret(rotateApiKey.secret)}
      >
        <Text size="sm">The successor has the same rights.</Text>
        <OverlapField label="Accept the old key for" value={overlap} onChange={setOverlap} />
      </ActionButton>
      <ActionButton
        {...shared}
        label="Revoke"
        accessibleName={`Revoke ${id}`}
        operation={RevokeApiKeyDocument}
        variables={{ id }}
        submit="Revoke the key"
        isDangerous
      >
        <Text size="sm">
          Its connections close at once. There is no undo.
          {own.id === id && ' This is the key that you are signed in with.'}
        </Text>
      </ActionButton>
    </div>
  );
}
