import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  lexicographicSortSchema,
  printSchema,
  type GraphQLField,
  type GraphQLNamedType,
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
  const blocks = [`### ${kind} ${name}`, inline(description), `Returns ${linkTo(String(type))}.`];
  if (args.length === 0) return blocks;
  const rows = args.map((argument) => [
    `\`${argument.name}\``,
    withDefault(String(argument.type), argument.defaultValue),
    inline(argument.description),
  ]);
  return [...blocks, table(['argument', 'type', 'meaning'], rows)];
}

function typeSection(type: GraphQLNamedType): string[] {
  const section = (kind: string, ...tables: string[]) => [
    `### ${type.name}`,
    `*${kind}.* ${inline(type.description)}`,
    ...tables,
  ];
  if (isScalarType(type)) return section('Scalar');
  if (isEnumType(type)) {
    const rows = type.getValues().map(({ name, description }) => [`\`${name}\``, inline(description)]);
    return section('Enum', table(['value', 'meaning'], rows));
  }
  if (isInputObjectType(type)) {
    const rows = Object.values(type.getFields()).map((field) => [
      `\`${field.name}\``,
      withDefault(String(field.type), field.defaultValue),
      inline(field.description),
    ]);
    return section('Input', table(['field', 'type', 'meaning'], rows));
  }
  if (!isObjectType(type) && !isInterfaceType(type))
    throw new Error(`${type.name} is a kind without a page.`);
  const rows = Object.values(type.getFields()).flatMap((field) => [
    [`\`${field.name}\``, linkTo(String(field.type)), inline(field.description)],
    ...field.args.map((argument) => [
      `\`${field.name}(${argument.name}:)\``,
      withDefault(String(argument.type), argument.defaultValue),
      inline(argument.description),
    ]),
  ]);
  const implemented = type.getInterfaces().map(({ name }) => `, implements ${name}`);
  const kind = isInterfaceType(type) ? 'Interface' : 'Object';
  return section(`${kind}${implemented.join('')}`, table(['field', 'type', 'meaning'], rows));
}

function withDefault(type: string, defaultValue: unknown): string {
  return defaultValue === undefined ? linkTo(type) : `${linkTo(type)} = \`${JSON.stringify(defaultValue)}\``;
}

/** A type reference such as `[Grant!]` as code; linked to its section unless the type is built in. */
function linkTo(type: string): string {
  const name = type.replace(/[[\]!]/g, '');
  return BUILT_IN.has(name) ? `\`${type}\`` : `[\`${type}\`](#${name.toLowerCase()})`;
}

/** A description on one line, as table cells need it. */
function inline(description: string | null | undefined): string {
  return (description ?? '').trim().replace(/\s*\n\s*/g, ' ');
}
