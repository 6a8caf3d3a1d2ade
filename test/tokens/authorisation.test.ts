import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACTIONS, type ChannelType, type Role } from '../../src/projects/permissions.ts';
import { allowedActions, decide, RULES } from '../../src/tokens/authorisation.ts';
import { asOf, nextChangeOf } from '../../src/tokens/caller.ts';
import {
  action,
  modelCaller,
  toCaller,
  now,
  permissions,
  accessTarget,
  expectedRefusals,
  roleAllows,
} from '../support/authorisation-model.ts';
import { anonymousCaller, apiKeyCaller, tokenCaller } from '../support/callers.ts';

test('at any moment a token may do what no rule refuses, and is told the first rule that does', () => {
  const reached = new Set<string>();
  fc.assert(
    fc.property(modelCaller, action, accessTarget, now, (asking, what, where, at) => {
      const decision = decide(asOf(toCaller(asking), at), what, where);
      const [first] = expectedRefusals(asking, what, where, at);
      expect(decision).toMatchObject({ allowed: first === undefined, rule: first ?? 'ALLOWED' });
      reached.add(decision.rule);
    }),
    { numRuns: 10_000 },
  );
  expect([...reached].sort()).toEqual(RULES.filter((one) => one !== 'API_KEY' && one !== 'ANONYMOUS').sort());
});

test('anonymous callers may what the matrix lets them, where the project takes them, member or not', () => {
  fc.assert(
    fc.property(permissions, fc.boolean(), action, accessTarget, (matrix, anonymous, what, where) => {
      const decision = decide(anonymousCaller({ permissions: matrix, anonymous }), what, where);
      const allowed = anonymous && roleAllows(matrix, 'ANONYMOUS', where, what);
      expect(decision).toMatchObject({ allowed, rule: 'ANONYMOUS' });
    }),
    { numRuns: 3000 },
  );
});

test('an API key may do everything everywhere', () => {
  fc.assert(
    fc.property(action, accessTarget, (what, where) => {
      expect(decide(apiKeyCaller(), what, where)).toMatchObject({ allowed: true, rule: 'API_KEY' });
    }),
  );
});

test('what a caller may do in a place is every action that it is allowed there', () => {
  fc.assert(
    fc.property(modelCaller, accessTarget, (asking, where) => {
      expect(allowedActions(toCaller(asking), where)).toEqual(
        ACTIONS.filter((what) => expectedRefusals(asking, what, where).length === 0),
      );
    }),
  );
});

test('grants narrow, the token’s and the credential’s: without either nobody may do less', () => {
  fc.assert(
    fc.property(modelCaller, accessTarget, (asking, where) => {
      const { record, credentialRights } = asking;
      const freer = [
        { ...asking, record: { ...record, grants: null } },
        { ...asking, claims: credentialRights && { ...credentialRights, grants: null } },
      ];
      const narrow = allowedActions(toCaller(asking), where);
      for (const free of freer)
        expect(allowedActions(toCaller(free), where)).toEqual(expect.arrayContaining(narrow));
    }),
  );
});

test('between now and the next change nothing changes by itself, and then something lapses', () => {
  fc.assert(
    fc.property(modelCaller, accessTarget, now, (asking, where, from) => {
      const caller = asOf(toCaller(asking), from);
      const next = nextChangeOf(caller);
      const may = (at: number) =>
        ACTIONS.filter((what) => expectedRefusals(asking, what, where, at).length === 0);
      for (let at = from; at < Math.min(next, 10); at++) {
        expect(asOf(caller, at)).toBe(caller);
        expect(may(at)).toEqual(may(from));
      }
      expect(next).toBeGreaterThan(from);
      if (next < Infinity) expect(asOf(caller, next)).not.toEqual(caller);
      else expect(may(9)).toEqual(may(from));
      expect(asOf(caller, 9)).toEqual(asOf(toCaller(asking), 9));
    }),
    { numRuns: 2000 },
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
