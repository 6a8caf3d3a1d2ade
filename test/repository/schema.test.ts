import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  type GraphQLNamedType,
} from 'graphql';
import { expect, test } from 'vitest';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { createSchema } from '../../src/schema/schema.ts';

const schema = createSchema();
const own = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
const BUILT_IN = new Set(['String', 'Int', 'Float', 'Boolean', 'ID']);

test('every type, field, argument, input field and enum value has a description', () => {
  expect(own.filter(({ name }) => !BUILT_IN.has(name)).flatMap(undescribed)).toEqual([]);
});

function undescribed(type: GraphQLNamedType): string[] {
  const missing = type.description ? [] : [type.name];
  const note = (name: string, description: string | null | undefined) => {
    if (!description) missing.push(`${type.name}.${name}`);
  };
  if (isEnumType(type)) type.getValues().forEach(({ name, description }) => note(name, description));
  if (isInputObjectType(type))
    Object.values(type.getFields()).forEach(({ name, description }) => note(name, description));
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      note(field.name, field.description);
      for (const { name, description } of field.args) note(`${field.name}(${name})`, description);
    }
  }
  return missing;
}

test('the description of every mutation and subscription names its errors or says “For anyone”', () => {
  const fields = [schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
    Object.values(type!.getFields()),
  );
  expect(
    fields.filter(({ description }) => !/Throws|For anyone/.test(description ?? '')).map(({ name }) => name),
  ).toEqual([]);
});

test('every error code in a description is in the catalogue', () => {
  const named = own
    .filter((type) => isObjectType(type))
    .flatMap((type) => Object.values(type.getFields()))
    .flatMap(
      ({ description }) =>
        /Throws ([^.]*)\./.exec(description ?? '')?.[1]?.match(/\b[A-Z]+_[A-Z_]+\b|\b[A-Z]{8,}\b/g) ?? [],
    );
  expect(new Set(named).size).toBeGreaterThan(5);
  expect(named.filter((code) => !(code in ERROR_CATALOGUE))).toEqual([]);
});

test('fields of the same name have the same type in every event', () => {
  const events = own
    .filter((type) => isObjectType(type))
    .filter((type) => type.getInterfaces().some(({ name }) => name === 'Event'));
  expect(events.length).toBeGreaterThanOrEqual(11);
  const types = new Map<string, Set<string>>();
  for (const { name, type } of events.flatMap((event) => Object.values(event.getFields()))) {
    types.set(name, (types.get(name) ?? new Set()).add(String(type)));
  }
  expect([...types].filter(([, seen]) => seen.size > 1)).toEqual([]);
});

test('the enum ErrorCode has the codes of the catalogue', () => {
  const type = schema.getType('ErrorCode');
  expect(isEnumType(type) && type.getValues().map(({ name }) => name)).toEqual(
    Object.keys(ERROR_CATALOGUE).sort(),
  );
});

test('the custom scalars are Cursor, DateTime and JSON', () => {
  const names = own.filter((type) => isScalarType(type)).map(({ name }) => name);
  expect(names.filter((name) => !BUILT_IN.has(name)).sort()).toEqual(['Cursor', 'DateTime', 'JSON']);
});
