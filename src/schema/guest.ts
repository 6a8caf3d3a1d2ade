import { describeName, MAX_TEXT_LENGTH } from '../names.ts';
import { builder, nullToUndefined } from './builder.ts';
import { CreateTokenPayload } from './token.ts';

const CreateGuestInput = builder.inputType('CreateGuestInput', {
  description: 'Input of createGuest; all fields are optional.',
  fields: (t) => ({
    name: t.string({
      description: `The name of the guest. The identity becomes \`guest:<random>:<name>\`, which is unique and reserved for guests. ${describeName('role')}.`,
    }),
    connectionData: t.string({
      description: `Data that other callers see: at most ${MAX_TEXT_LENGTH} characters. The service does not verify it.`,
    }),
  }),
});

builder.mutationFields((t) => ({
  createGuest: t.field({
    type: CreateTokenPayload,
    description:
      'Creates a guest: a token with the role GUEST and a new identity, valid for one hour by default. For anyone, if the project accepts guests; rate-limited by network address. Throws FORBIDDEN, RATE_LIMITED, BAD_USER_INPUT.',
    args: { input: t.arg({ type: CreateGuestInput, description: 'The properties of the guest.' }) },
    async resolve(_, { input }, { caller, address, domain }) {
      const head = await domain.broker.head(caller.projectId);
      const created = await domain.guests.create(caller, address, {
        name: nullToUndefined(input?.name),
        connectionData: nullToUndefined(input?.connectionData),
      });
      return { ...created, cursor: domain.cursors.format(caller.projectId, head) };
    },
  }),
  createDevelopmentToken: t.string({
    description:
      'Returns an unsigned credential for an identity, in the format of Stream Chat’s `devToken`. For anyone, if the project accepts development tokens; never enable them on a service that strangers can reach. Throws FORBIDDEN, BAD_USER_INPUT.',
    args: { identity: t.arg.string({ required: true, description: 'The identity.' }) },
    resolve: (_, { identity }, { caller, domain }) => domain.mintDevelopmentToken(caller, identity),
  }),
}));
