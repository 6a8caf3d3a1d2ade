import { GraphQLError, Kind, type ValueNode } from 'graphql';
import { builder } from './builder.ts';

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

builder.scalarType('DateTime', {
  description:
    'A point in time in RFC 3339 format with a time zone, for example `2030-01-31T12:00:00.000Z`. Results are in UTC with milliseconds.',
  serialize: (epochMs) => new Date(epochMs).toISOString(),
  parseValue(value) {
    const epochMs = typeof value === 'string' && RFC_3339.test(value) ? Date.parse(value) : NaN;
    if (Number.isNaN(epochMs))
      throw new GraphQLError('A DateTime is RFC 3339 with a time zone, such as 2030-01-31T12:00:00Z.');
    return epochMs;
  },
});

builder.scalarType('Cursor', {
  description:
    'An opaque, tamper-evident position in the log of the project. Equal positions have equal cursors. Store the last cursor that you saw, and pass it as `since` to miss nothing.',
  serialize: (cursor) => cursor,
  parseValue(value) {
    if (typeof value !== 'string') throw new GraphQLError('A Cursor is a string.');
    return value;
  },
});

builder.scalarType('JSON', {
  description:
    'Any JSON value, nested at most 32 levels deep. Numbers that JSON cannot carry exactly, such as integers beyond 2^53 that would be rounded, are refused with BAD_USER_INPUT: send them as strings.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => fromLiteral(node, variables ?? {}),
});

function fromLiteral(node: ValueNode, variables: Record<string, unknown>): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.LIST:
      return node.values.map((value) => fromLiteral(value, variables));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map((field) => [field.name.value, fromLiteral(field.value, variables)]),
      );
    case Kind.VARIABLE:
      return variables[node.name.value];
  }
}
