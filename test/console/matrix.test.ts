import { expect, test } from 'vitest';
import { cellOf, kindsOf, rolesOf, type Permissions } from '../../console/src/pages/project/matrix.ts';
import { actionsOf } from '../../src/projects/permissions.ts';

const NONE: Permissions = { roles: [], kinds: [], stated: [] };
const STATED: Permissions = {
  roles: [{ name: 'host', like: 'MODERATOR' }],
  kinds: [{ name: 'stage', type: 'PUBLIC' }],
  stated: [
    { role: 'PUBLISHER', kind: 'stage', actions: ['SUBSCRIBE'] },
    { role: 'MODERATOR', kind: 'PUBLIC', actions: ['MODERATE'] },
    { role: 'host', kind: 'PRIVATE', actions: [] },
  ],
};

test.each([
  ['the defaults', NONE],
  ['what a project states', STATED],
])('the console shows the permissions that the service applies: %s', (_, permissions) => {
  for (const role of rolesOf(permissions))
    for (const kind of kindsOf(permissions)) {
      const channel = { type: kind.type, kind: kind.name === kind.type ? null : kind.name };
      const applied = actionsOf({ ...permissions, stated: [...permissions.stated] }, role.name, channel);
      const { actions } = cellOf(permissions.stated, role, kind);
      expect([...actions].sort(), `${role.name} in ${kind.name}`).toEqual([...applied].sort());
    }
});
