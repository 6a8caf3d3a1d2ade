import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHANNEL_TYPES, type ChannelType } from '../../src/projects/permissions.ts';
import { allowedActions, decide, type Place } from '../../src/tokens/authorisation.ts';
import { type Caller } from '../../src/tokens/caller.ts';
import { ACTIONS, ROLES, type Action, type Role } from '../../src/projects/permissions.ts';
import { type Grant } from '../../src/tokens/token.ts';
import { anonymousCaller, apiKeyCaller, tokenCaller } from '../support/callers.ts';

const ANONYMOUS: Caller = anonymousCaller();

/** The rules as one would tell them to a person, each a reason to refuse. */
function refusals(caller: Caller, action: Action, { id, type, isMember }: Place): string[] {
  if (caller.kind === 'API_KEY') return [];
  if (caller.kind === 'ANONYMOUS')
    return action === 'SUBSCRIBE' && type === 'UNPROTECTED' ? [] : ['ANONYMOUS'];
  const { role, grants } = caller.token;
  const reasons: string[] = [];
  if (role === 'GUEST' && type === 'PRIVATE') reasons.push('ROLE');
  if (action === 'PUBLISH' && (role === 'GUEST' || role === 'SUBSCRIBER')) reasons.push('ROLE');
  if (action === 'MODERATE' && role !== 'MODERATOR') reasons.push('ROLE');
  if (type === 'PRIVATE' && !isMember) reasons.push('MEMBERSHIP');
  const isGranted = ({ channels, actions }: Grant) =>
    actions.includes(action) && COVERED[channels]?.includes(id);
  if (grants && !grants.some(isGranted)) reasons.push('GRANTS');
  return reasons;
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

const grant = fc.record({
  channels: fc.constantFrom(...Object.keys(COVERED)),
  actions: fc.subarray([...ACTIONS]),
});
const caller: fc.Arbitrary<Caller> = fc.oneof(
  fc.constantFrom<Caller>(ANONYMOUS, apiKeyCaller()),
  fc
    .record({
      role: fc.constantFrom(...ROLES),
      grants: fc.option(fc.array(grant, { maxLength: 4 }), { nil: null }),
    })
    .map((over) => tokenCaller(over)),
);
const place: fc.Arbitrary<Place> = fc.record({
  id: fc.constantFrom('room:1', 'room:2', 'club:1', 'attic'),
  type: fc.constantFrom(...CHANNEL_TYPES),
  kind: fc.constant(null),
  isMember: fc.boolean(),
});

test('a caller may do what no rule refuses, and is told the first rule that does', () => {
  fc.assert(
    fc.property(caller, fc.constantFrom(...ACTIONS), place, (asking, action, where) => {
      const decision = decide(asking, action, where);
      const rule = decision.allowed ? undefined : decision.rule;
      expect(rule).toBe(refusals(asking, action, where)[0]);
    }),
    { numRuns: 3000 },
  );
});

test('what a caller may do in a place is every action that it is allowed there', () => {
  fc.assert(
    fc.property(caller, place, (asking, where) => {
      expect(allowedActions(asking, where)).toEqual(
        ACTIONS.filter((action) => refusals(asking, action, where).length === 0),
      );
    }),
  );
});

test('grants narrow: with them nobody may do what the role alone does not allow', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ROLES), fc.array(grant), place, (role, grants, where) => {
      const bare = allowedActions(tokenCaller({ role, grants: null }), where);
      for (const action of allowedActions(tokenCaller({ role, grants }), where))
        expect(bare).toContain(action);
    }),
  );
});

test.each([
  ['GUEST', 'PUBLIC', false, 'SUBSCRIBE PRESENCE'],
  ['GUEST', 'PRIVATE', true, ''],
  ['SUBSCRIBER', 'PRIVATE', true, 'SUBSCRIBE PRESENCE'],
  ['SUBSCRIBER', 'PRIVATE', false, ''],
  ['PUBLISHER', 'UNPROTECTED', false, 'SUBSCRIBE PUBLISH PRESENCE'],
  ['PUBLISHER', 'PRIVATE', true, 'SUBSCRIBE PUBLISH PRESENCE'],
  ['MODERATOR', 'PRIVATE', true, 'SUBSCRIBE PUBLISH PRESENCE MODERATE'],
  ['MODERATOR', 'PRIVATE', false, ''],
] as [Role, ChannelType, boolean, string][])(
  '%s in a %s channel, member: %s, may %s',
  (role, type, isMember, actions) => {
    const where = { id: 'lobby', type, kind: null, isMember };
    expect(allowedActions(tokenCaller({ role }), where).join(' ')).toBe(actions);
  },
);

test('a refusal names what is missing and nothing of the token', () => {
  const asking = tokenCaller({ role: 'PUBLISHER', grants: [], identity: 'ada', connectionData: 'shown' });
  const decision = decide(asking, 'SUBSCRIBE', { id: 'lobby', type: 'PUBLIC', kind: null, isMember: false });
  expect(decision).toEqual({
    allowed: false,
    rule: 'GRANTS',
    because: 'no grant of the token allows SUBSCRIBE here',
  });
});
