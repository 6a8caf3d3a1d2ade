import { OPERATIONS_FILE, printOperations } from './package-operations.ts';
import { DOCUMENTS, write } from './documents.ts';

for (const [file, print] of Object.entries(DOCUMENTS)) write(file, print());
write(OPERATIONS_FILE, await printOperations());
