import { useState } from 'react';
import { TextInput } from '@mantine/core';
import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import {
  CreateProjectDocument,
  ProjectsDocument,
  type ProjectRowFragment,
} from '../../generated/operations.ts';
import { usePages } from '../../api/use-pages.ts';
import { useSession } from '../../client/session-context.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { PagedTable } from '../../parts/PagedTable.tsx';
import { SecretDialog } from '../../parts/SecretDialog.tsx';
import { Section } from '../../parts/Section.tsx';
import { Tag } from '../../parts/Tag.tsx';
import { Time } from '../../parts/Time.tsx';

const column = createColumnHelper<ProjectRowFragment>();

/** All projects of the service. For the API key of the operator. */
export function Projects() {
  const { project: own } = useSession();
  const [secret, setSecret] = useState<string>();
  const pages = usePages(ProjectsDocument, {}, ({ projects }) => projects);
  const columns = [
    column.accessor('id', {
      header: 'Project',
      cell: ({ getValue }) => (
        <>
          <span className="json-inline">{getValue()}</span>{' '}
          {getValue() === own && <Tag tone="plain">this one</Tag>}
        </>
      ),
    }),
    column.accessor('name', {
      header: 'Name',
      cell: ({ getValue }) => <div className="wrap">{getValue()}</div>,
    }),
    column.accessor('createdAt', { header: 'Created', cell: ({ getValue }) => <Time at={getValue()} /> }),
  ] as ColumnDef<ProjectRowFragment>[];
  return (
    <Section
      title="Projects"
      about="All projects of this service, each with its own keys, tokens and channels. To see another one, sign in with a key of it."
      actions={<CreateProject onSecret={setSecret} />}
    >
      <PagedTable
        label="Projects"
        columns={columns}
        pages={pages}
        rowId={({ id }) => id}
        empty={<EmptyState title="No projects">Create one.</EmptyState>}
      />
      <GraphqlPreview document={ProjectsDocument} variables={{}} />
      {secret !== undefined && <SecretDialog secret={secret} onClose={() => setSecret(undefined)} />}
    </Section>
  );
}

/** Creates a project and shows its first API key. */
function CreateProject({ onSecret }: { onSecret(secret: string): void }) {
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  return (
    <ActionButton
      label="Create project"
      scope="ADMIN"
      operation={CreateProjectDocument}
      variables={{ input: { ...(id !== '' && { id }), ...(name !== '' && { name }) } }}
      submit="Create project"
      onOpen={() => {
        setId('');
        setName('');
      }}
      onDone={({ createProject }) => onSecret(createProject.secret)}
    >
      <TextInput
        label="Id"
        description="Lower-case letters, digits and -."
        placeholder="Generated when empty"
        value={id}
        data-autofocus
        onChange={(event) => setId(event.currentTarget.value)}
      />
      <TextInput
        label="Name"
        description="Empty: the id."
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </ActionButton>
  );
}
