import { type Explanation } from '../channels/explain.ts';
import { builder, nullToUndefined } from './builder.ts';
import { ActionEnum, PermissionRuleEnum } from './enums.ts';

const PermissionExplanation = builder.objectRef<Explanation>('PermissionExplanation').implement({
  description: 'Whether an action is allowed, and which rule decides.',
  fields: (t) => ({
    allowed: t.exposeBoolean('allowed', { description: 'Whether the action is allowed.' }),
    rule: t.expose('rule', { type: PermissionRuleEnum, description: 'The rule that decides.' }),
    because: t.exposeString('because', { description: 'An explanation of the rule for developers.' }),
  }),
});

builder.queryFields((t) => ({
  explainPermission: t.field({
    type: PermissionExplanation,
    description:
      'Explains whether a token may take an action in a channel now. For a token of an issuer, the rights of its last credential count. For API keys, and for the token itself. The answer to a token does not reveal whether a channel exists in which it may do nothing. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN.',
    args: {
      token: t.arg.id({
        description: 'The id of the token; absent: an anonymous caller, for API keys only.',
      }),
      channel: t.arg.id({ required: true, description: 'The channel’s id.' }),
      action: t.arg({ type: ActionEnum, required: true, description: 'The action.' }),
    },
    resolve: (_, { token, channel, action }, { caller, domain }) =>
      domain.explainPermission(caller, { token: nullToUndefined(token), channel, action }),
  }),
}));
