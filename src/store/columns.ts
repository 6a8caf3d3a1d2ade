import { customType, integer } from 'drizzle-orm/sqlite-core';

/** A column that holds a point in time: milliseconds since 1970, UTC. */
export const timestamp = (name: string) => integer(name);

/** The value of a JSON column whose text is damaged. */
export const DAMAGED = Symbol('damaged');

/**
 * A JSON column that reads damaged text as `DAMAGED`. Drizzle's own JSON column throws, and then one damaged row fails every
 * query that includes it.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as drizzle’s own `$type<T>()`
export const json = <T>(name: string) =>
  customType<{ data: T | typeof DAMAGED; driverData: string }>({
    dataType: () => 'text',
    toDriver: (value) => JSON.stringify(value),
    fromDriver(text) {
      try {
        return JSON.parse(text) as T;
      } catch {
        return DAMAGED;
      }
    },
  })(name);
