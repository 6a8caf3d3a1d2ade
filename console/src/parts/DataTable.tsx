import { useMemo, useRef, useState, type ReactNode } from 'react';
import { Table } from '@mantine/core';
import {
  flexRender,
  getCoreRowModel,
  useReactTable,
  type ColumnDef,
  type SortingState,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { sortRows } from './sort-rows.ts';
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
/** Rows above and below the view that are in the document, so that scrolling shows no blank space. */
const OVERSCAN = 6;

/** A sortable table. Long ones scroll inside a box of their own. */
export function DataTable<Row>({ label, columns, rows, rowId, empty }: Properties<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const [sorting, setSorting] = useState<SortingState>([]);
  const sorted = useMemo(() => sortRows(rows, columns, sorting), [rows, columns, sorting]);
  const isVirtual = sorted.length > VIRTUAL_FROM;
  const virtualizer = useVirtualizer({
    count: isVirtual ? sorted.length : 0,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
  });
  const visible = isVirtual ? virtualizer.getVirtualItems() : undefined;
  const begin = visible?.[0]?.index ?? 0;
  const end = visible ? (visible.at(-1)?.index ?? -1) + 1 : sorted.length;
  const data = useMemo(() => sorted.slice(begin, end), [sorted, begin, end]);
  const table = useReactTable({
    data,
    columns,
    state: { sorting },
    onSortingChange: setSorting,
    manualSorting: true,
    autoResetAll: false,
    getRowId: rowId,
    getCoreRowModel: getCoreRowModel(),
  });
  if (rows.length === 0) return <>{empty}</>;
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
      <Table aria-rowcount={sorted.length}>
        <Table.Thead>
          <Table.Tr>
            {table.getFlatHeaders().map((header) => (
              <SortableHeading key={header.id} header={header} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {above > 0 && <Spacer height={above} />}
          {table.getRowModel().rows.map((row) => (
            // Plain elements: live tables draw hundreds of cells, several times a second.
            <tr key={row.id}>
              {row.getVisibleCells().map((cell) => (
                <td key={cell.id}>{flexRender(cell.column.columnDef.cell, cell.getContext())}</td>
              ))}
            </tr>
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
