import { useState } from 'react';
import { Table } from '@mantine/core';
import { UpdateProjectDocument } from '../../generated/operations.ts';
import { useScope } from '../../client/session-context.ts';
import { ActionForm } from '../../parts/ActionForm.tsx';
import { Section } from '../../parts/Section.tsx';
import { cellOf, kindsOf, rolesOf, withCell, type Permissions } from './matrix.ts';
import { MatrixCell } from './MatrixCell.tsx';

/** The actions of each role in each kind of channel. */
export function PermissionMatrix({ permissions }: { permissions: Permissions }) {
  const [stated, setStated] = useState(permissions.stated);
  const mayEdit = useScope('ADMIN');
  const kinds = kindsOf(permissions);
  const table = (
    <div className="table-box" tabIndex={0} role="region" aria-label="Permission matrix">
      <Table withColumnBorders verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Role</Table.Th>
            {kinds.map(({ name, type }) => (
              <Table.Th key={name}>{name === type ? name : `${name} (${type})`}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rolesOf(permissions).map((role) => (
            <Table.Tr key={role.name}>
              <Table.Th scope="row">
                {role.name === role.like ? role.name : `${role.name} (like ${role.like})`}
              </Table.Th>
              {kinds.map((kind) => (
                <Table.Td key={kind.name}>
                  <MatrixCell
                    name={`${role.name} in ${kind.name}`}
                    cell={cellOf(stated, role, kind)}
                    {...(mayEdit && {
                      onChange: (actions) => setStated(withCell(stated, role.name, kind.name, actions)),
                    })}
                  />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
  return (
    <Section
      title="Permission matrix"
      about="Role by kind of channel. Only cells that differ from the default are stored; memberships, grants, mutes and bans narrow further."
    >
      {mayEdit ? (
        <ActionForm
          operation={UpdateProjectDocument}
          variables={{ settings: { permissions: { stated } } }}
          problem={stated === permissions.stated ? 'Change a cell to save the matrix.' : undefined}
          submit="Save the matrix"
        >
          {table}
        </ActionForm>
      ) : (
        table
      )}
    </Section>
  );
}
