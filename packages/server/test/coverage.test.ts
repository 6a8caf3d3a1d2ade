import { readdirSync, readFileSync } from 'node:fs';
import { buildSchema, GraphQLObjectType, Kind, OperationTypeNode, parse } from 'graphql';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const schema = buildSchema(read('../../schema.graphql'));

/** Root fields that the SDK does not call, and why. `graphql` reaches them. */
const LEFT_OUT: Record<string, string> = {
  'Query.viewer': 'A backend knows who it is.',
  'Query.projects': 'For the operator of the service, not for the backend of a project.',
  'Mutation.createProject': 'For the operator of the service.',
  'Mutation.resealSecrets': 'For the operator of the service.',
  'Mutation.rotateSigningKey': 'For the operator of the service.',
  'Mutation.createDevelopmentToken': 'For clients: @signalbox/client takes `{ development }`.',
  'Mutation.createGuest': 'For clients: @signalbox/client takes `{ guest }`.',
  'Mutation.createStreamTicket': 'For clients: a backend sends its key in the Authorization header.',
  'Mutation.reauthenticate': 'For clients: it concerns a live connection.',
  'Mutation.setPresence': 'For clients: it concerns a live connection.',
  'Subscription.events': 'For clients: @signalbox/client is built on it.',
  'Subscription.messages':
    'For clients: `channel.on` and `channel.messages` of @signalbox/client, which takes an API key, too.',
  'Subscription.directMessages': 'For clients: `direct.on`.',
  'Subscription.presence': 'For clients: `channel.subscribe`, and `channels.members` here.',
  'Subscription.channelState': 'For clients: `channel.subscribe`.',
};

/** `Mutation.publishMessage` for every root field of the schema. */
const rootFields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
  (type) => Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name ?? ''}.${field}`),
);

const TYPES = {
  [OperationTypeNode.QUERY]: 'Query',
  [OperationTypeNode.MUTATION]: 'Mutation',
  [OperationTypeNode.SUBSCRIPTION]: 'Subscription',
};

/** The root fields that the operations of the SDK call, with the arguments that they pass. */
const called = new Map(
  readdirSync(new URL('../operations', import.meta.url))
    .flatMap((file) => parse(read(`operations/${file}`)).definitions)
    .flatMap((definition): [string, string[]][] => {
      if (definition.kind !== Kind.OPERATION_DEFINITION) return [];
      const type = TYPES[definition.operation];
      return definition.selectionSet.selections.flatMap((selection): [string, string[]][] => {
        if (selection.kind !== Kind.FIELD) return [];
        return [
          [`${type}.${selection.name.value}`, (selection.arguments ?? []).map(({ name }) => name.value)],
        ];
      });
    }),
);

test('every root field of the schema is called by the SDK or left out on purpose', () => {
  const missing = rootFields.filter((field) => !called.has(field) && !(field in LEFT_OUT));
  expect(missing).toEqual([]);
});

test('the list of root fields that are left out holds no field that the SDK calls or the schema lacks', () => {
  expect(Object.keys(LEFT_OUT).filter((field) => called.has(field) || !rootFields.includes(field))).toEqual(
    [],
  );
});

test('the SDK passes every argument of these fields, except one that is for tokens', () => {
  const missing = [...called].flatMap(([field, passed]) => {
    const [type = '', name = ''] = field.split('.');
    return argumentsOf(type, name)
      .filter((arg) => !passed.includes(arg))
      .map((arg) => `${field}.${arg}`);
  });
  expect(missing).toEqual(['Mutation.publishDirectMessage.channel']);
});

function argumentsOf(type: string, field: string): string[] {
  const object = schema.getType(type);
  if (!(object instanceof GraphQLObjectType)) throw new Error(`${type} is not an object type.`);
  return object.getFields()[field]?.args.map(({ name }) => name) ?? [];
}
