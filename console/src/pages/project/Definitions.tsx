import { useState } from 'react';
import { Group, NativeSelect, Table, TextInput } from '@mantine/core';
import { CHANNEL_TYPES } from '../../fields/channel-types.ts';
import { ROLES } from '../../fields/RoleField.tsx';
import {
  ProjectSettingsDocument,
  UpdateProjectDocument,
  type PermissionsInput,
} from '../../generated/operations.ts';
import { isSame, type Basis } from '../../api/use-edits.ts';
import { useReread } from '../../api/use-operation.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { Section } from '../../parts/Section.tsx';
import { type Permissions } from './matrix.ts';

/** The roles and the kinds of channels that the project defines: the further rows and columns of the matrix. */
export function Definitions({ permissions }: { permissions: Permissions }) {
  return (
    <>
      <DefinitionList
        title="Custom roles"
        noun="role"
        about="Where the matrix says nothing about a custom role, the role that it is like applies."
        permissions={permissions}
        entriesOf={({ roles }) => roles.map(({ name, like }) => ({ name, base: like }))}
        baseLabel="Like"
        bases={ROLES}
        toPermissions={(entries) => ({ roles: entries.map(({ name, base }) => ({ name, like: base })) })}
      />
      <DefinitionList
        title="Kinds of channels"
        noun="kind"
        about="Where the matrix says nothing about a kind, its type applies. A kind that channels have cannot be removed."
        permissions={permissions}
        entriesOf={({ kinds }) => kinds.map(({ name, type }) => ({ name, base: type }))}
        baseLabel="Type"
        bases={CHANNEL_TYPES}
        toPermissions={(entries) => ({ kinds: entries.map(({ name, base }) => ({ name, type: base })) })}
      />
    </>
  );
}

interface Entry<Base> {
  readonly name: string;
  readonly base: Base;
}

interface Properties<Base extends string> {
  title: string;
  about: string;
  noun: 'role' | 'kind';
  permissions: Permissions;
  entriesOf(permissions: Permissions): readonly Entry<Base>[];
  baseLabel: string;
  bases: readonly Base[];
  /** The whole list, which replaces the one of the project. */
  toPermissions(entries: readonly Entry<Base>[]): PermissionsInput;
}

function DefinitionList<Base extends string>(properties: Properties<Base>) {
  const { title, about, noun, permissions, entriesOf, baseLabel, bases, toPermissions } = properties;
  const [name, setName] = useState('');
  const [base, setBase] = useState(bases[0]);
  const entries = entriesOf(permissions);
  // A dialog replaces the whole list, beginning with the one that was stored when it was opened.
  const [opened, setOpened] = useState(entries);
  const read = useReread(ProjectSettingsDocument, {});
  const begin = () => setOpened(entries);
  const basis: Basis = {
    isOutdated: !isSame(entries, opened),
    async check() {
      const { settings } = (await read()).project;
      return settings === null || isSame(entriesOf(settings.permissions), opened);
    },
    load: begin,
  };
  const send = (list: readonly Entry<Base>[]) => ({ settings: { permissions: toPermissions(list) } });
  const added = base === undefined ? opened : [...opened, { name, base }];
  return (
    <Section
      title={title}
      about={about}
      actions={
        <ActionButton
          label={`Add a ${noun}`}
          scope="ADMIN"
          operation={UpdateProjectDocument}
          variables={send(added)}
          basis={basis}
          onOpen={begin}
          problem={name === '' ? `Name the ${noun}.` : undefined}
          submit={`Add the ${noun}`}
        >
          <TextInput
            label="Name"
            description="1–64 letters, digits, _ and -."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NativeSelect
            label={baseLabel}
            value={base}
            onChange={(event) => setBase(bases.find((one) => one === event.currentTarget.value))}
            data={[...bases]}
          />
        </ActionButton>
      }
    >
      {entries.length === 0 ? (
        <EmptyState title="None yet">The built-in ones are always there.</EmptyState>
      ) : (
        <Table maw="36rem">
          <Table.Tbody>
            {entries.map((entry) => (
              <Table.Tr key={entry.name}>
                <Table.Th scope="row">{entry.name}</Table.Th>
                <Table.Td>{entry.base}</Table.Td>
                <Table.Td>
                  <Group justify="flex-end">
                    <ActionButton
                      label="Remove"
                      accessibleName={`Remove ${entry.name}`}
                      size="compact-sm"
                      scope="ADMIN"
                      operation={UpdateProjectDocument}
                      variables={send(opened.filter((other) => other.name !== entry.name))}
                      basis={basis}
                      onOpen={begin}
                      submit={`Remove ${entry.name}`}
                      isDangerous
                    />
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  );
}
