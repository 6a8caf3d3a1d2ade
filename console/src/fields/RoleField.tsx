import { NativeSelect } from '@mantine/core';
import { ProjectSettingsDocument, type Role } from '../generated/operations.ts';
import { useOperation } from '../api/use-operation.ts';

export const ROLES: readonly Role[] = ['GUEST', 'SUBSCRIBER', 'PUBLISHER', 'MODERATOR'];

/** A choice of the role field: a built-in role, or `custom:<name>`. */
export function roleArguments(choice: string): { role?: Role; customRole?: string } {
  if (choice.startsWith(CUSTOM)) return { customRole: choice.slice(CUSTOM.length) };
  const role = ROLES.find((name) => name === choice);
  return role === undefined ? {} : { role };
}

/** The choice that a token has now. */
export function roleChoice({ role, customRole }: { role: Role; customRole: string | null }): string {
  return customRole === null ? role : CUSTOM + customRole;
}

const CUSTOM = 'custom:';

/** Chooses a built-in role or a custom role of the project. */
export function RoleField({ value, onChange }: { value: string; onChange(value: string): void }) {
  const { data } = useOperation(ProjectSettingsDocument, {});
  const custom = data?.project.settings?.permissions.roles ?? [];
  return (
    <NativeSelect
      label="Role"
      description="By default, SUBSCRIBER receives, PUBLISHER also publishes, MODERATOR also moderates, and GUEST receives in channels that are not PRIVATE."
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={[
        ...ROLES,
        ...custom.map(({ name, like }) => ({ value: CUSTOM + name, label: `${name} (like ${like})` })),
      ]}
    />
  );
}
