import { type ColumnDef, type SortingState } from '@tanstack/react-table';

type Accessor<Row> = (row: Row) => unknown;

/**
 * The rows in the order of a column; without one, as they are. Rows with equal values keep their order, and rows without a value
 * come last. The table could sort them itself, but it would first wrap all of them, thousands, at each change.
 */
export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly ColumnDef<Row>[],
  [sorting]: SortingState,
): readonly Row[] {
  const valueOf = sorting && findAccessor(columns, sorting.id);
  if (!sorting || !valueOf) return rows;
  const direction = sorting.desc ? -1 : 1;
  return rows
    .map((row) => ({ row, value: toComparable(valueOf(row)) }))
    .sort(({ value: a }, { value: b }) => {
      if (a === b) return 0;
      if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
      return (a < b ? -1 : 1) * direction;
    })
    .map(({ row }) => row);
}

function findAccessor<Row>(columns: readonly ColumnDef<Row>[], id: string): Accessor<Row> | undefined {
  for (const column of columns) {
    if ('accessorFn' in column && column.id === id) return (row) => column.accessorFn(row, 0);
    if ('accessorKey' in column && column.accessorKey === id)
      return (row) => Reflect.get(Object(row), id) as unknown;
  }
  return undefined;
}

function toComparable(value: unknown): string | number | undefined {
  if (typeof value === 'string' || typeof value === 'number') return value;
  return typeof value === 'boolean' ? Number(value) : undefined;
}
