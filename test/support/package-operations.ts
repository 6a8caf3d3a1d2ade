import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { codegen } from '@graphql-codegen/core';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { buildSchema, Kind, parse, print, separateOperations, stripIgnoredCharacters } from 'graphql';
import { format, resolveConfig } from 'prettier';
import { read } from './repository-files.ts';

interface OperationSet {
  /** The folder with the `.graphql` files. */
  folder: string;
  /** Where the generated file finds the type `Operation`. */
  operationType: string;
  /** Whether the documents keep their lines, because people read them. */
  isReadable: boolean;
}

/** The files with typed operations, by path. */
export const OPERATION_FILES: Readonly<Record<string, OperationSet>> = {
  'packages/server/src/generated/operations.ts': {
    folder: 'packages/server/operations',
    operationType: '../transport/operation.ts',
    isReadable: false,
  },
  'console/src/generated/operations.ts': {
    folder: 'console/operations',
    operationType: '../operation.ts',
    isReadable: true,
  },
};

const SUFFIX = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const;

/**
 * The operations of a folder as TypeScript: the types by graphql-codegen, each document as a string with the types
 * of its result and its variables.
 * @throws when an operation does not match `schema.graphql`
 */
export async function printOperations(
  file: string,
  { folder, operationType, isReadable }: OperationSet,
): Promise<string> {
  const path = fileURLToPath(new URL(`../../${folder}`, import.meta.url));
  const files = readdirSync(path).sort();
  const text = files.map((name) => readFileSync(`${path}/${name}`, 'utf8')).join('\n');
  const document = parse(text);
  const types = await codegen({
    schema: parse(read('schema.graphql')),
    schemaAst: buildSchema(read('schema.graphql')),
    documents: [{ location: 'operations', document }],
    filename: file,
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
    const type = `${name}${SUFFIX[definition.operation]}`;
    const operation = separateOperations(document)[name];
    if (operation === undefined) return [];
    const literal = isReadable ? `\`${print(operation)}\`` : `'${stripIgnoredCharacters(print(operation))}'`;
    return [`export const ${name}Document = ${literal} as Operation<\n  ${type},\n  ${type}Variables\n>;`];
  });
  const source = [
    `// Printed from \`${folder}\` and \`schema.graphql\` by \`npm run schema\`. Edit those, not this file.`,
    `import { type Operation } from '${operationType}';`,
    types.trimEnd(),
    ...documents,
  ].join('\n\n');
  return format(source, { ...(await resolveConfig(file)), parser: 'typescript' });
}
