import { DOCUMENTS, write } from './documents.ts';

for (const [file, print] of Object.entries(DOCUMENTS)) write(file, print());
