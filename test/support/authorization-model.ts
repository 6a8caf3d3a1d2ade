import fc from 'fast-check';
import {
  ACTIONS,
  CHANNEL_TYPES,
  ROLES,
  type Action,
  type ChannelType,
  type Permissions,
} from '../../src/projects/permissions.ts';
import { type AccessTarget } from '../../src/tokens/authorization.ts';
import { type Caller } from '../../src/tokens/caller.ts';
import { type Restriction } from '../../src/tokens/restriction.ts';
import {
  withCredentialRights,
  type CredentialRights,
  type Grant,
  type Token,
} from '../../src/tokens/token.ts';
import { tokenCaller } from './callers.ts';

/** A token caller as the model sees it: the stored token, the rights that its credential adds, and its restrictions. */
export interface ModelCaller {
  permissions: Permissions;
  record: Pick<Token, 'role' | 'customRole' | 'grants'>;
  credentialRights: Pick<CredentialRights, 'role' | 'customRole' | 'grants'> | null;
  restrictions: Pick<Restriction, 'kind' | 'subject' | 'channelId' | 'until'>[];
}

/** The channels of the model that each pattern matches. */
const COVERED: Record<string, string[]> = {
  '*': ['attic'],
  '*:*': ['room:1', 'room:2', 'club:1'],
  'room:*': ['room:1', 'room:2'],
  '*:1': ['room:1', 'club:1'],
  'room:1': ['room:1'],
  attic: ['attic'],
  elsewhere: [],
};

/** The default permissions of a built-in role. */
function allowedByDefault(role: string, type: ChannelType, action: Action): boolean {
  if (role === 'ANONYMOUS') return action === 'SUBSCRIBE' && type === 'UNPROTECTED';
  if (role === 'GUEST' && type === 'PRIVATE') return false;
  if (action === 'PUBLISH') return role === 'PUBLISHER' || role === 'MODERATOR';
  return action !== 'MODERATE' || role === 'MODERATOR';
}

/** Applies the permission cells from the general to the specific, so that the most specific one wins. */
export function roleAllows(
  permissions: Permissions,
  role: string,
  { type, kind }: AccessTarget,
  action: Action,
): boolean {
  const customRole = permissions.roles.find(({ name }) => name === role);
  if (!customRole && ![...ROLES, 'ANONYMOUS'].includes(role)) return false;
  let allowed = allowedByDefault(customRole?.like ?? role, type, action);
  for (const row of customRole ? [customRole.like, role] : [role])
    for (const column of [type, kind])
      for (const cell of permissions.stated)
        if (cell.role === row && cell.kind === column) allowed = cell.actions.includes(action);
  return allowed;
}

const isInForce = (end: number | null | undefined, now: number) => end == null || end > now;

/**
 * The authorization rules, written a second time and independently of `decide()`. Returns every rule that refuses the
 * action, in the order in which `decide()` evaluates them.
 */
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
        actions.includes(action) && COVERED[channels]?.includes(target.id) && isInForce(expiresAt, now),
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

const CUSTOM_ROLES = ['host', 'fan'];
const CHANNEL_KINDS = ['stage', 'foyer'];
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 2 });
const withoutNulls = <T>(all: readonly (T | null)[]) => all.filter((one) => one !== null);
const role = fc.constantFrom(...ROLES);
const type = fc.constantFrom(...CHANNEL_TYPES);
export const action = fc.constantFrom(...ACTIONS);
const id = fc.constantFrom('room:1', 'room:2', 'club:1', 'attic');
const moment = fc.integer({ min: 1, max: 8 });
export const now = fc.integer({ min: 0, max: 9 });

export const permissions: fc.Arbitrary<Permissions> = fc.record({
  roles: fc
    .tuple(...CUSTOM_ROLES.map((name) => orNull(fc.record({ name: fc.constant(name), like: role }))))
    .map(withoutNulls),
  kinds: fc
    .tuple(...CHANNEL_KINDS.map((name) => orNull(fc.record({ name: fc.constant(name), type }))))
    .map(withoutNulls),
  stated: fc.uniqueArray(
    fc.record({
      role: fc.constantFrom(...ROLES, 'ANONYMOUS', ...CUSTOM_ROLES),
      kind: fc.constantFrom(...CHANNEL_TYPES, ...CHANNEL_KINDS),
      actions: fc.subarray([...ACTIONS]),
    }),
    { selector: (cell) => `${cell.role} ${cell.kind}`, maxLength: 20 },
  ),
});
const grant: fc.Arbitrary<Grant> = fc.record(
  {
    channels: fc.constantFrom(...Object.keys(COVERED)),
    actions: fc.subarray([...ACTIONS]),
    expiresAt: orNull(moment),
  },
  { requiredKeys: ['channels', 'actions'] },
);
const grants = orNull(fc.array(grant, { maxLength: 4 }));
/** `retired` is a role that a token still has although the project no longer defines it. */
const anyRole = fc.record({ role, customRole: orNull(fc.constantFrom(...CUSTOM_ROLES, 'retired')) });
const noRole = fc.constant({ role: null, customRole: null });
const rights = (roles: fc.Arbitrary<Pick<CredentialRights, 'role' | 'customRole'>>) =>
  fc.tuple(roles, grants).map(([roleFields, grantList]) => ({ ...roleFields, grants: grantList }));
export const modelCaller: fc.Arbitrary<ModelCaller> = fc.record({
  permissions,
  record: rights(anyRole) as fc.Arbitrary<ModelCaller['record']>,
  credentialRights: orNull(rights(fc.oneof(anyRole, noRole))),
  restrictions: fc.array(
    fc.record({
      kind: fc.constantFrom('MUTE' as const, 'BAN' as const),
      subject: fc.constantFrom('token:token_1' as const, 'identity:ada' as const),
      channelId: orNull(id),
      until: orNull(moment),
    }),
    { maxLength: 2 },
  ),
});
export const accessTarget: fc.Arbitrary<AccessTarget> = fc.record({
  id,
  type,
  kind: orNull(fc.constantFrom(...CHANNEL_KINDS)),
  isMember: fc.boolean(),
});

/** Converts a caller of the model into the `Caller` of the code under test. */
export function toCaller({
  permissions: matrix,
  record,
  credentialRights,
  restrictions,
}: ModelCaller): Caller {
  const rightsOfCredential = credentialRights && {
    ...credentialRights,
    connectionData: null,
    issuedAt: 1,
    expiresAt: null,
  };
  const { token } = tokenCaller({ ...record, identity: 'ada' });
  return tokenCaller(withCredentialRights(token, rightsOfCredential), {
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
