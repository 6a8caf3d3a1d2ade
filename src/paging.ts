import { badInput } from './errors.ts';

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;

/** Requests one page of a list sorted by id, ascending. */
export interface PageRequest {
  /** Page size: 1–100. */
  first: number;
  /** Returns only items that sort after this id. */
  after?: string | undefined;
}

export interface Page<T> {
  items: T[];
  hasMore: boolean;
}

/** Returns `size`, or 20 when it is absent. @throws BAD_USER_INPUT when `size` is not 1–100 */
export function parsePageSize(size: number | null | undefined, field: 'first' | 'last'): number {
  if (size === null || size === undefined) return DEFAULT_PAGE_SIZE;
  if (size < 1 || size > MAX_PAGE_SIZE) throw badInput(field, `is ${size}; it must be 1–${MAX_PAGE_SIZE}.`);
  return size;
}

/** Makes a page of `size` items. Query `size + 1` rows: the extra row shows whether there are more. */
export function pageOf<T>(rows: T[], size: number): Page<T> {
  return { items: rows.slice(0, size), hasMore: rows.length > size };
}
