import { Table } from '@mantine/core';
import { flexRender, type Header } from '@tanstack/react-table';

const ARROWS = { asc: ' ↑', desc: ' ↓' } as const;
const SORTED = { asc: 'ascending', desc: 'descending' } as const;

/** The heading of a column: a button that sorts, where the column has values to sort by. */
export function SortableHeading<Row>({ header }: { header: Header<Row, unknown> }) {
  const { column } = header;
  const text = flexRender(column.columnDef.header, header.getContext());
  if (!column.getCanSort()) return <Table.Th>{text}</Table.Th>;
  const order = column.getIsSorted();
  return (
    <Table.Th {...(order !== false && { 'aria-sort': SORTED[order] })}>
      <button type="button" className="sort" onClick={column.getToggleSortingHandler()}>
        {text}
        {order !== false && <span aria-hidden="true">{ARROWS[order]}</span>}
      </button>
    </Table.Th>
  );
}
