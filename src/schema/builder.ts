import SchemaBuilder from '@pothos/core';
import { type Context } from './context.ts';

export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    /** Milliseconds since 1970 inside, RFC 3339 outside. */
    DateTime: { Input: number; Output: number };
    Cursor: { Input: string; Output: string };
    JSON: { Input: unknown; Output: unknown };
  };
}>({ defaultFieldNullability: false });

export type ObjectRefOf<T> = ReturnType<ReturnType<typeof builder.objectRef<T>>['implement']>;

builder.queryType({ description: 'What can be asked. Over HTTP or WebSocket.' });
builder.mutationType({ description: 'What can be done. Over HTTP or WebSocket.' });
builder.subscriptionType({
  description: 'What can be heard. Over WebSocket (`graphql-transport-ws`) or SSE.',
});

/** GraphQL says null where an argument is absent; the domain says undefined. */
export function nullToUndefined<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}
