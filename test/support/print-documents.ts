import { OPERATION_FILES, printOperations } from './package-operations.ts';
import { printSchemaFile } from './reference/schema.ts';
import { write } from './repository-files.ts';

// The schema and the operations first: other documents are printed from programs that import the operations, so those
// programs are loaded only when each operation that they import exists.
write('schema.graphql', printSchemaFile());
for (const [file, operations] of Object.entries(OPERATION_FILES))
  write(file, await printOperations(file, operations));
const { DOCUMENTS } = await import('./documents.ts');
for (const [file, print] of Object.entries(DOCUMENTS)) write(file, print());
