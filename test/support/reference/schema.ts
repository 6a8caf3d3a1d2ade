import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  lexicographicSortSchema,
  printSchema,
  type GraphQLArgument,
  type GraphQLEnumType,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLScalarType,
  type GraphQLType,
} from 'graphql';
import { createSchema } from '../../../src/schema/schema.ts';
import { documentOf, PRINTED, table } from './markdown.ts';

const sorted = () => lexicographicSortSchema(createSchema());

export function printSchemaFile(): string {
  return `${printSchema(sorted())}\n`;
}

/** The schema as a page that can be searched and linked to: root fields first, then types. */
export function printSchemaReference(): string {
  const schema = sorted();
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const;
  const rootNames = new Set(roots.map(([, type]) => type?.name));
  const types = Object.values(schema.getTypeMap()).filter(
    ({ name }) => !name.startsWith('__') && !rootNames.has(name) && !BUILT_IN.has(name),
  );
  return documentOf(
    PRINTED,
    '# Schema',
    'The same descriptions as in GraphiQL and in [`schema.graphql`](../../schema.graphql). Codes after “Throws” are listed in [error codes](errors.md). Every `…Connection` is a [Relay cursor connection](https://relay.dev/graphql/connections.htm).',
    roots.map(([kind]) => `- [${HEADINGS[kind]}](#${HEADINGS[kind].toLowerCase()})`).join('\n') +
      '\n- [Types](#types)',
    ...roots.flatMap(([kind, type]) => [
      `## ${HEADINGS[kind]}`,
      type?.description ?? '',
      ...Object.values(type?.getFields() ?? {}).flatMap((field) => rootField(kind, field)),
    ]),
    '## Types',
    ...types.flatMap(typeSection),
  );
}

const BUILT_IN = new Set(['String', 'Int', 'Float', 'Boolean', 'ID']);
const HEADINGS = { query: 'Queries', mutation: 'Mutations', subscription: 'Subscriptions' } as const;

function rootField(kind: keyof typeof HEADINGS, field: GraphQLField<unknown, unknown>): string[] {
  const { name, description, args, type } = field;
  const blocks = [`### ${kind} ${name}`, inline(description), `Returns ${linkTo(type)}.`];
  return args.length === 0 ? blocks : [...blocks, inputTable('argument', args)];
}

function typeSection(type: GraphQLNamedType): string[] {
  const head = [`### ${type.name}`, `*${kindOf(type)}.* ${inline(type.description)}`];
  if (isEnumType(type)) return [...head, enumTable(type)];
  if (isInputObjectType(type)) return [...head, inputTable('field', Object.values(type.getFields()))];
  if (isObjectType(type) || isInterfaceType(type)) return [...head, fieldTable(type)];
  return head;
}

function kindOf(type: GraphQLNamedType): string {
  if (isScalarType(type)) return 'Scalar';
  if (isEnumType(type)) return 'Enum';
  if (isInputObjectType(type)) return 'Input';
  if (isInterfaceType(type)) return 'Interface';
  const interfaces = isObjectType(type) ? type.getInterfaces() : [];
  return ['Object', ...interfaces.map(({ name }) => `implements ${name}`)].join(', ');
}

function enumTable(type: GraphQLEnumType): string {
  return table(
    ['value', 'meaning'],
    type.getValues().map(({ name, description }) => [`\`${name}\``, inline(description)]),
  );
}

function inputTable(
  what: string,
  inputs: readonly (GraphQLArgument | ReturnType<GraphQLInputObjectType['getFields']>[string])[],
): string {
  return table(
    [what, 'type', 'meaning'],
    inputs.map((input) => [`\`${input.name}\``, typeAndDefault(input), inline(input.description)]),
  );
}

type InputValue = Pick<GraphQLArgument, 'type' | 'defaultValue'>;

function typeAndDefault({ type, defaultValue }: InputValue): string {
  return defaultValue === undefined ? linkTo(type) : `${linkTo(type)} = \`${JSON.stringify(defaultValue)}\``;
}

function fieldTable(type: GraphQLObjectType | GraphQLInterfaceType): string {
  return table(
    ['field', 'type', 'meaning'],
    Object.values(type.getFields()).flatMap(({ name, args, type: result, description }) => [
      [`\`${name}\``, linkTo(result), inline(description)],
      ...args.map((argument) => [
        `\`${name}(${argument.name}:)\``,
        typeAndDefault(argument),
        inline(argument.description),
      ]),
    ]),
  );
}

/** The type as code; linked to its section unless it is built in. */
function linkTo(type: GraphQLType): string {
  const named: GraphQLNamedType | GraphQLScalarType = getNamedType(type);
  const code = `\`${String(type)}\``;
  return BUILT_IN.has(named.name) ? code : `[${code}](#${named.name.toLowerCase()})`;
}

/** A description on one line, as table cells need it. */
function inline(description: string | null | undefined): string {
  return (description ?? '').trim().replace(/\s*\n\s*/g, ' ');
}
