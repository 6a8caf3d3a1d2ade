import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { DOCUMENTS } from '../src/documents.ts';

const schema = buildSchema(readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8'));

test.each(Object.entries(DOCUMENTS))('the document %s is valid against the schema', (_, document) => {
  expect(validate(schema, parse(document))).toEqual([]);
});
