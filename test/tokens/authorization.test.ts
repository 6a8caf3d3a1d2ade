import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACTIONS, type ChannelType, type Role } from '../../src/projects/permissions.ts';
import { allowedActions, decide, RULES } from '../../src/tokens/authorization.ts';
import { applyLapses, nextChangeAt } from '../../src/tokens/caller.ts';
import {
  action,
  modelCaller,
  toCaller,
  now,
  permissions,
  accessTarget,
  expectedRefusals,
  roleAllows,
} from '../support/authorization-model.ts';
import { anonymousCaller, apiKeyCaller, tokenCaller } from '../support/callers.ts';

test('decide() allows an action unless a rule of the model refuses it, and names the first rule that does', () => {
  const reached = new Set<string>();
  fc.assert(
    fc.property(modelCaller, action, accessTarget, now, (model, requested, target, at) => {
      const decision = decide(applyLapses(toCaller(model), at), requested, target);
      const [first] = expectedRefusals(model, requested, target, at);
      expect(decision).toMatchObject({ allowed: first === undefined, rule: first ?? 'ALLOWED' });
      reached.add(decision.rule);
    }),
    { numRuns: 10_000 },
  );
  expect([...reached].sort()).toEqual(RULES.filter((one) => one !== 'API_KEY' && one !== 'ANONYMOUS').sort());
});

test('decide() allows anonymous callers the actions of the matrix when the project enables anonymous access', () => {
  fc.assert(
    fc.property(permissions, fc.boolean(), action, accessTarget, (matrix, anonymous, requested, target) => {
      const decision = decide(anonymousCaller({ permissions: matrix, anonymous }), requested, target);
      const allowed = anonymous && roleAllows(matrix, 'ANONYMOUS', target, requested);
      expect(decision).toMatchObject({ allowed, rule: 'ANONYMOUS' });
    }),
    { numRuns: 3000 },
  );
});

test('decide() allows an API key every action in every channel', () => {
  fc.assert(
    fc.property(action, accessTarget, (requested, target) => {
      expect(decide(apiKeyCaller(), requested, target)).toMatchObject({ allowed: true, rule: 'API_KEY' });
    }),
  );
});

test('allowedActions() returns every action that decide() allows in the channel', () => {
  fc.assert(
    fc.property(modelCaller, accessTarget, (model, target) => {
      expect(allowedActions(toCaller(model), target)).toEqual(
        ACTIONS.filter((requested) => expectedRefusals(model, requested, target).length === 0),
      );
    }),
  );
});

test('removing the grants of the record or of the credential never removes an allowed action', () => {
  fc.assert(
    fc.property(modelCaller, accessTarget, (model, target) => {
      const { record, credentialRights } = model;
      const widened = [
        { ...model, record: { ...record, grants: null } },
        { ...model, credentialRights: credentialRights && { ...credentialRights, grants: null } },
      ];
      const narrow = allowedActions(toCaller(model), target);
      for (const wide of widened)
        expect(allowedActions(toCaller(wide), target)).toEqual(expect.arrayContaining(narrow));
    }),
  );
});

test('applyLapses() changes nothing before nextChangeAt(), and drops a grant or restriction at that time', () => {
  fc.assert(
    fc.property(modelCaller, accessTarget, now, (model, target, from) => {
      const caller = applyLapses(toCaller(model), from);
      const next = nextChangeAt(caller);
      const allowedAt = (at: number) =>
        ACTIONS.filter((requested) => expectedRefusals(model, requested, target, at).length === 0);
      for (let at = from; at < Math.min(next, 10); at++) {
        expect(applyLapses(caller, at)).toBe(caller);
        expect(allowedAt(at)).toEqual(allowedAt(from));
      }
      expect(next).toBeGreaterThan(from);
      if (next < Infinity) expect(applyLapses(caller, next)).not.toEqual(caller);
      else expect(allowedAt(9)).toEqual(allowedAt(from));
      expect(applyLapses(caller, 9)).toEqual(applyLapses(toCaller(model), 9));
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
  'by default, a %s in a %s channel (member: %s) is allowed: %s',
  (role, type, isMember, actions) => {
    const target = { id: 'lobby', type, kind: null, isMember };
    expect(allowedActions(tokenCaller({ role }), target).join(' ')).toBe(actions);
  },
);

test('a refusal names the missing grant and no field of the token', () => {
  const caller = tokenCaller({ role: 'PUBLISHER', grants: [], identity: 'ada', connectionData: 'shown' });
  const decision = decide(caller, 'SUBSCRIBE', { id: 'lobby', type: 'PUBLIC', kind: null, isMember: false });
  expect(decision).toEqual({
    allowed: false,
    rule: 'GRANTS',
    because: 'no grant of the token allows SUBSCRIBE here',
  });
});
