import SchemaBuilder from '@pothos/core';
import { type Context } from './context.ts';

export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    /** Milliseconds since 1970 in the code, RFC 3339 in the API. */
    DateTime: { Input: number; Output: number };
    Cursor: { Input: string; Output: string };
    JSON: { Input: unknown; Output: unknown };
  };
}>({ defaultFieldNullability: false });

export type ObjectRefOf<T> = ReturnType<ReturnType<typeof builder.objectRef<T>>['implement']>;

builder.queryType({ description: 'Read operations, over HTTP or WebSocket.' });
builder.mutationType({ description: 'Write operations, over HTTP or WebSocket.' });
builder.subscriptionType({
  description: 'Live streams, over WebSocket (subprotocol `graphql-transport-ws`) or server-sent events.',
});

/** GraphQL clients may send null for an absent argument; the domain uses undefined. */
export function nullToUndefined<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}

/**
 * The end of the description of an object beside a secret that is returned once. Such an object is nullable: otherwise an error
 * in one of its fields would null the secret, too.
 */
export const nullIfAFieldFails = (secret: 'secret' | 'credential') =>
  `Null if one of its fields fails, so that the ${secret} is still returned.`;
