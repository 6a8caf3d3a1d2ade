import { getNamedType, isLeafType, type GraphQLField } from 'graphql';
import { createSchema } from '../../src/schema/schema.ts';
import { type Call } from './calls.ts';

const schema = createSchema();
const ROOTS = {
  query: schema.getQueryType()!,
  mutation: schema.getMutationType()!,
  subscription: schema.getSubscriptionType()!,
};

/** All root fields of the schema, as `query viewer`. */
export const rootFields = () =>
  Object.entries(ROOTS).flatMap(([type, root]) =>
    Object.keys(root.getFields()).map((name) => `${type} ${name}`),
  );

function fieldOf({ type, field }: Call): GraphQLField<unknown, unknown> {
  const found = ROOTS[type].getFields()[field];
  if (!found) throw new TypeError(`The schema has no ${type} ${field}.`);
  return found;
}

/** The description of the root field in the schema. */
export const descriptionOf = (call: Call) => fieldOf(call).description ?? '';

/** Selections of fields that report a refusal in their data. */
const SELECTIONS: Record<string, string> = { publishMessages: '{ error { code } }' };

/** Whether the field reports a refusal in its data, and not as an error of the operation. */
export const reportsRefusalInData = ({ field }: Call) => field in SELECTIONS;

/** The document of a call: arguments as variables, and the smallest possible selection. */
export function documentOf(call: Call): string {
  const { type, field, args } = call;
  const root = fieldOf(call);
  const passedArguments = root.args.filter(({ name }) => name in args);
  if (passedArguments.length < Object.keys(args).length)
    throw new TypeError(`${field} lacks one of the arguments ${Object.keys(args).join(', ')}.`);
  const declared = passedArguments.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const selectedArguments = passedArguments.map(({ name }) => `${name}: $${name}`).join(', ');
  const isLeaf = isLeafType(getNamedType(root.type));
  return `${type} ${declared && `(${declared})`} { ${field}${selectedArguments && `(${selectedArguments})`} ${isLeaf ? '' : (SELECTIONS[field] ?? '{ __typename }')} }`;
}
