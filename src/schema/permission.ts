import { type Explanation } from '../channels/explain.ts';
import { builder, nullToUndefined } from './builder.ts';
import { ActionEnum, PermissionRuleEnum } from './enums.ts';

const PermissionExplanation = builder.objectRef<Explanation>('PermissionExplanation').implement({
  description: 'Whether something is allowed, and by which rule.',
  fields: (t) => ({
    allowed: t.exposeBoolean('allowed', { description: 'Whether it is allowed.' }),
    rule: t.expose('rule', { type: PermissionRuleEnum, description: 'The rule that decides.' }),
    because: t.exposeString('because', { description: 'The rule in words, for developers.' }),
  }),
});

builder.queryFields((t) => ({
  explainPermission: t.field({
    type: PermissionExplanation,
    description:
      'Whether a token may take an action in a channel now, and why or why not; a token whose credentials others sign, as the last one has it. For API keys, and for the token itself, which learns nothing of channels that it may not know of. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      token: t.arg.id({ description: 'The token’s id; absent, for API keys: an anonymous caller.' }),
      channel: t.arg.id({ required: true, description: 'The channel’s id.' }),
      action: t.arg({ type: ActionEnum, required: true, description: 'What it wants to do.' }),
    },
    resolve: (_, { token, channel, action }, { caller, domain }) =>
      domain.explainPermission(caller, { token: nullToUndefined(token), channel, action }),
  }),
}));
