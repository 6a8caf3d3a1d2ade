import { Table } from '@mantine/core';
import { type CountsFragment } from '../../generated/operations.ts';
import { EmptyState } from '../../parts/EmptyState.tsx';

/** The errors that callers received, by their code. */
export function Refusals({ refusals }: Pick<CountsFragment, 'refusals'>) {
  if (refusals.length === 0)
    return (
      <EmptyState title="No refusals">
        Every request since the start was answered without an error.
      </EmptyState>
    );
  const sorted = [...refusals].sort((a, b) => b.count - a.count);
  return (
    <Table maw="28rem">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Code</Table.Th>
          <Table.Th>Count</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {sorted.map(({ code, count }) => (
          <Table.Tr key={code}>
            <Table.Td>{code}</Table.Td>
            <Table.Td>{count.toLocaleString('en')}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
