import { OPERATION_FILES, printOperations } from './package-operations.ts';
import { DOCUMENTS, write } from './documents.ts';

for (const [file, print] of Object.entries(DOCUMENTS)) write(file, print());
for (const [file, operations] of Object.entries(OPERATION_FILES))
  write(file, await printOperations(file, operations));
