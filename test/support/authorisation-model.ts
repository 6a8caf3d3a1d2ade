import fc from 'fast-check';
import {
  ACTIONS,
  CHANNEL_TYPES,
  ROLES,
  type Action,
  type ChannelType,
  type Permissions,
} from '../../src/projects/permissions.ts';
import { type AccessTarget } from '../../src/tokens/authorisation.ts';
import { type Caller } from '../../src/tokens/caller.ts';
import { type Restriction } from '../../src/tokens/restriction.ts';
import {
  withCredentialRights,
  type CredentialRights,
  type Grant,
  type Token,
} from '../../src/tokens/token.ts';
import { tokenCaller } from './callers.ts';

/** Somebody who asks, in the words of the model: what the record says, and the credential besides. */
export interface ModelCaller {
  permissions: Permissions;
  record: Pick<Token, 'role' | 'customRole' | 'grants'>;
  credentialRights: Pick<CredentialRights, 'role' | 'customRole' | 'grants'> | null;
  restrictions: Pick<Restriction, 'kind' | 'subject' | 'channelId' | 'until'>[];
}

/** Which of the channels below each pattern covers. */
const COVERED: Record<string, string[]> = {
  '*': ['attic'],
  '*:*': ['room:1', 'room:2', 'club:1'],
  'room:*': ['room:1', 'room:2'],
  '*:1': ['room:1', 'club:1'],
  'room:1': ['room:1'],
  attic: ['attic'],
  elsewhere: [],
};

/** What a built-in role may do where nobody says otherwise, as one would tell a person. */
function byDefault(role: string, type: ChannelType, action: Action): boolean {
  if (role === 'ANONYMOUS') return action === 'SUBSCRIBE' && type === 'UNPROTECTED';
  if (role === 'GUEST' && type === 'PRIVATE') return false;
  if (action === 'PUBLISH') return role === 'PUBLISHER' || role === 'MODERATOR';
  return action !== 'MODERATE' || role === 'MODERATOR';
}

/** Said from the general to the particular: the last word holds. */
export function roleAllows(
  permissions: Permissions,
  role: string,
  { type, kind }: AccessTarget,
  action: Action,
): boolean {
  const own = permissions.roles.find(({ name }) => name === role);
  if (!own && ![...ROLES, 'ANONYMOUS'].includes(role)) return false;
  let allowed = byDefault(own?.like ?? role, type, action);
  for (const row of own ? [own.like, role] : [role])
    for (const column of [type, kind])
      for (const cell of permissions.stated)
        if (cell.role === row && cell.kind === column) allowed = cell.actions.includes(action);
  return allowed;
}

const holds = (end: number | null | undefined, now: number) => end == null || end > now;

/** The rules as one would tell them to a person: every reason to refuse, in the order in which they are asked. */
export function expectedRefusals(
  caller: ModelCaller,
  action: Action,
  target: AccessTarget,
  now = 0,
): string[] {
  const { permissions, record, credentialRights, restrictions } = caller;
  const isRestricted = (kind: string) =>
    restrictions.some(
      (one) =>
        one.kind === kind && [null, target.id].includes(one.channelId) && (one.until ?? Infinity) > now,
    );
  const isNarrowed = (grants: Grant[] | null | undefined) =>
    grants &&
    !grants.some(
      ({ channels, actions, expiresAt }) =>
        actions.includes(action) && COVERED[channels]?.includes(target.id) && holds(expiresAt, now),
    );
  const { role, customRole } = credentialRights?.role ? credentialRights : record;
  const reasons: string[] = [];
  if (isRestricted('BAN')) reasons.push('BANNED');
  if (!roleAllows(permissions, customRole ?? role!, target, action)) reasons.push('ROLE');
  if (target.type === 'PRIVATE' && !target.isMember) reasons.push('MEMBERSHIP');
  if (isNarrowed(record.grants) || isNarrowed(credentialRights?.grants)) reasons.push('GRANTS');
  if (action === 'PUBLISH' && isRestricted('MUTE')) reasons.push('MUTED');
  return reasons;
}

const OWN_ROLES = ['host', 'fan'];
const OWN_KINDS = ['stage', 'foyer'];
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 2 });
const present = <T>(all: readonly (T | null)[]) => all.filter((one) => one !== null);
const role = fc.constantFrom(...ROLES);
const type = fc.constantFrom(...CHANNEL_TYPES);
export const action = fc.constantFrom(...ACTIONS);
const id = fc.constantFrom('room:1', 'room:2', 'club:1', 'attic');
const moment = fc.integer({ min: 1, max: 8 });
export const now = fc.integer({ min: 0, max: 9 });

export const permissions: fc.Arbitrary<Permissions> = fc.record({
  roles: fc
    .tuple(...OWN_ROLES.map((name) => some(fc.record({ name: fc.constant(name), like: role }))))
    .map(present),
  kinds: fc
    .tuple(...OWN_KINDS.map((name) => some(fc.record({ name: fc.constant(name), type }))))
    .map(present),
  stated: fc.uniqueArray(
    fc.record({
      role: fc.constantFrom(...ROLES, 'ANONYMOUS', ...OWN_ROLES),
      kind: fc.constantFrom(...CHANNEL_TYPES, ...OWN_KINDS),
      actions: fc.subarray([...ACTIONS]),
    }),
    { selector: (cell) => `${cell.role} ${cell.kind}`, maxLength: 20 },
  ),
});
const grant: fc.Arbitrary<Grant> = fc.record(
  {
    channels: fc.constantFrom(...Object.keys(COVERED)),
    actions: fc.subarray([...ACTIONS]),
    expiresAt: some(moment),
  },
  { requiredKeys: ['channels', 'actions'] },
);
const grants = some(fc.array(grant, { maxLength: 4 }));
/** One of them may be gone from the project; it is still what some token has. */
const anyRole = fc.record({ role, customRole: some(fc.constantFrom(...OWN_ROLES, 'retired')) });
const noRole = fc.constant({ role: null, customRole: null });
const rights = (whose: fc.Arbitrary<Pick<CredentialRights, 'role' | 'customRole'>>) =>
  fc.tuple(whose, grants).map(([which, narrowed]) => ({ ...which, grants: narrowed }));
export const modelCaller: fc.Arbitrary<ModelCaller> = fc.record({
  permissions,
  record: rights(anyRole) as fc.Arbitrary<ModelCaller['record']>,
  credentialRights: some(rights(fc.oneof(anyRole, noRole))),
  restrictions: fc.array(
    fc.record({
      kind: fc.constantFrom('MUTE' as const, 'BAN' as const),
      subject: fc.constantFrom('token:token_1' as const, 'identity:ada' as const),
      channelId: some(id),
      until: some(moment),
    }),
    { maxLength: 2 },
  ),
});
export const accessTarget: fc.Arbitrary<AccessTarget> = fc.record({
  id,
  type,
  kind: some(fc.constantFrom(...OWN_KINDS)),
  isMember: fc.boolean(),
});

/** The same, as the code under test has it. */
export function toCaller({
  permissions: matrix,
  record,
  credentialRights,
  restrictions,
}: ModelCaller): Caller {
  const said = credentialRights && {
    ...credentialRights,
    connectionData: null,
    issuedAt: 1,
    expiresAt: null,
  };
  const { token } = tokenCaller({ ...record, identity: 'ada' });
  return tokenCaller(withCredentialRights(token, said), {
    settings: { permissions: matrix },
    restrictions: restrictions.map((one, index) => ({
      ...one,
      id: `restriction_${index}`,
      projectId: 'default',
      reason: null,
      createdAt: 0,
    })),
  });
}
