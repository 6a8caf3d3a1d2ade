import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { codegen } from '@graphql-codegen/core';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import {
  buildSchema,
  Kind,
  OperationTypeNode,
  parse,
  print,
  separateOperations,
  stripIgnoredCharacters,
} from 'graphql';
import { format, resolveConfig } from 'prettier';
import { read } from './documents.ts';

const OPERATIONS = fileURLToPath(new URL('../../packages/server/operations', import.meta.url));

export const OPERATIONS_FILE = 'packages/server/src/generated/operations.ts';

/**
 * The operations of `@signalbox/server` as TypeScript: the types by graphql-codegen, each document as a string with the types
 * of its result and its variables.
 * @throws when an operation does not match `schema.graphql`
 */
export async function printOperations(): Promise<string> {
  const files = readdirSync(OPERATIONS).sort();
  const text = files.map((file) => readFileSync(`${OPERATIONS}/${file}`, 'utf8')).join('\n');
  const document = parse(text);
  const types = await codegen({
    schema: parse(read('schema.graphql')),
    schemaAst: buildSchema(read('schema.graphql')),
    documents: [{ location: 'operations', document }],
    filename: OPERATIONS_FILE,
    config: {
      scalars: { ID: 'string', Cursor: 'string', DateTime: 'string', JSON: 'unknown' },
      strictScalars: true,
      enumType: 'string-literal',
      skipTypename: true,
      inputMaybeValue: 'T | null | undefined',
    },
    plugins: [{ operations: {} }],
    pluginMap: { operations: typescriptOperations },
  });
  const documents = document.definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION || definition.name === undefined) return [];
    const name = definition.name.value;
    const type = `${name}${definition.operation === OperationTypeNode.MUTATION ? 'Mutation' : 'Query'}`;
    const operation = separateOperations(document)[name];
    if (operation === undefined) return [];
    const text = stripIgnoredCharacters(print(operation));
    return [`export const ${name}Document = '${text}' as Operation<\n  ${type},\n  ${type}Variables\n>;`];
  });
  const source = [
    '// Printed from `packages/server/operations` and `schema.graphql` by `npm run schema`. Edit those, not this file.',
    "import { type Operation } from '../transport/operation.ts';",
    types.trimEnd(),
    ...documents,
  ].join('\n\n');
  return format(source, { ...(await resolveConfig(OPERATIONS_FILE)), parser: 'typescript' });
}
