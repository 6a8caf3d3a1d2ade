import { Table } from '@mantine/core';
import { ProjectSettingsDocument, UpdateProjectDocument } from '../../generated/operations.ts';
import { useScope } from '../../client/session-context.ts';
import { useEdits } from '../../api/use-edits.ts';
import { useReread } from '../../api/use-operation.ts';
import { ActionForm } from '../../parts/ActionForm.tsx';
import { Section } from '../../parts/Section.tsx';
import { cellOf, inOrder, kindsOf, rolesOf, withCell, type Permissions } from './matrix.ts';
import { MatrixCell } from './MatrixCell.tsx';

/** The actions of each role in each kind of channel. */
export function PermissionMatrix({ permissions }: { permissions: Permissions }) {
  const mayEdit = useScope('ADMIN');
  const read = useReread(ProjectSettingsDocument, {});
  const { values, changes, change, basis } = useEdits({ stated: inOrder(permissions.stated) }, async () => {
    const { settings } = (await read()).project;
    return settings && { stated: inOrder(settings.permissions.stated) };
  });
  const [roles, kinds] = [rolesOf(permissions), kindsOf(permissions)];
  // Others may have removed a role or a kind since its cell was edited.
  const stated = values.stated.filter(
    ({ role, kind }) => roles.some(({ name }) => name === role) && kinds.some(({ name }) => name === kind),
  );
  if (stated.length < values.stated.length) change({ stated });
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
          {roles.map((role) => (
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
                      onChange: (actions) =>
                        change({ stated: withCell(stated, role.name, kind.name, actions) }),
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
          basis={basis}
          problem={changes.stated === undefined ? 'Change a cell to save the matrix.' : undefined}
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
