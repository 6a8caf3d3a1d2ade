import { describeName, MAX_TEXT_LENGTH } from '../names.ts';
import { builder, nullToUndefined } from './builder.ts';
import { CreateTokenPayload } from './token.ts';

const CreateGuestInput = builder.inputType('CreateGuestInput', {
  description: 'What a guest wants to be called. Everything is optional.',
  fields: (t) => ({
    name: t.string({
      description: `Becomes the end of the identity, which is \`guest:<chance>:<name>\`: nobody else has it or can have it. ${describeName('role')}.`,
    }),
    connectionData: t.string({
      description: `What others shall see of it: at most ${MAX_TEXT_LENGTH} characters. Nobody has checked it.`,
    }),
  }),
});

builder.mutationFields((t) => ({
  createGuest: t.field({
    type: CreateTokenPayload,
    description:
      'Makes whoever asks a guest: a token with the role GUEST and an identity of its own, for an hour by default. For anyone, where the project takes guests; so many a second from one network address. Throws FORBIDDEN, RATE_LIMITED, BAD_USER_INPUT.',
    args: { input: t.arg({ type: CreateGuestInput, description: 'What it wants to be called.' }) },
    async resolve(_, { input }, { caller, address, domain }) {
      const head = await domain.broker.head(caller.projectId);
      const minted = await domain.guests.create(caller, address, {
        name: nullToUndefined(input?.name),
        connectionData: nullToUndefined(input?.connectionData),
      });
      return { ...minted, cursor: domain.cursors.format(caller.projectId, head) };
    },
  }),
  createDevelopmentToken: t.string({
    description:
      'An unsigned credential for an identity, as Stream Chat’s `devToken` makes it. For anyone, where the project takes development tokens, which it should not where strangers reach it. Throws FORBIDDEN, BAD_USER_INPUT.',
    args: { identity: t.arg.string({ required: true, description: 'Whom it shall name.' }) },
    resolve: (_, { identity }, { caller, domain }) => domain.mintDevelopmentToken(caller, identity),
  }),
}));
