import { useRef, useState, type ReactNode } from 'react';
import { Table } from '@mantine/core';
import {
  flexRender,
  getCoreRowModel,
  getSortedRowModel,
  useReactTable,
  type ColumnDef,
  type SortingState,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { SortableHeading } from './SortableHeading.tsx';

interface Properties<Row> {
  /** What the table lists, for screen readers. */
  label: string;
  columns: ColumnDef<Row>[];
  rows: readonly Row[];
  rowId(row: Row): string;
  /** What is shown instead of an empty table. */
  empty: ReactNode;
}

/** From here on only the rows in view are in the document. */
const VIRTUAL_FROM = 100;
const ROW_HEIGHT = 42;

/** A sortable table. Long ones scroll inside a box of their own. */
export function DataTable<Row>({ label, columns, rows, rowId, empty }: Properties<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const [sorting, setSorting] = useState<SortingState>([]);
  const table = useReactTable({
    data: rows as Row[],
    columns,
    state: { sorting },
    onSortingChange: setSorting,
    getRowId: rowId,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  });
  const sorted = table.getRowModel().rows;
  const isVirtual = sorted.length > VIRTUAL_FROM;
  const virtualizer = useVirtualizer({
    count: isVirtual ? sorted.length : 0,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  if (rows.length === 0) return <>{empty}</>;
  const visible = isVirtual ? virtualizer.getVirtualItems() : undefined;
  const shown = visible ? visible.flatMap(({ index }) => sorted[index] ?? []) : sorted;
  const above = visible?.[0]?.start ?? 0;
  const below = visible ? virtualizer.getTotalSize() - (visible.at(-1)?.end ?? 0) : 0;
  return (
    <div
      ref={box}
      className={isVirtual ? 'table-box table-box-tall' : 'table-box'}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <Table highlightOnHover aria-rowcount={sorted.length}>
        <Table.Thead>
          <Table.Tr>
            {table.getFlatHeaders().map((header) => (
              <SortableHeading key={header.id} header={header} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {above > 0 && <Spacer height={above} />}
          {shown.map((row) => (
            <Table.Tr key={row.id}>
              {row.getVisibleCells().map((cell) => (
                <Table.Td key={cell.id}>{flexRender(cell.column.columnDef.cell, cell.getContext())}</Table.Td>
              ))}
            </Table.Tr>
          ))}
          {below > 0 && <Spacer height={below} />}
        </Table.Tbody>
      </Table>
    </div>
  );
}

/** Stands for the rows that are out of view. */
function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden="true">
      <td style={{ height, padding: 0 }} />
    </tr>
  );
}
