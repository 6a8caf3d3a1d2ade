import { integer } from 'drizzle-orm/sqlite-core';

/** A column that holds a point in time: milliseconds since 1970, UTC. */
export const timestamp = (name: string) => integer(name);
