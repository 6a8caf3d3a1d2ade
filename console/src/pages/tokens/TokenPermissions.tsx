import { useState } from 'react';
import { Table, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { ACTIONS } from '../../fields/grant.ts';
import { TokenChannelsDocument } from '../../generated/operations.ts';
import { usePages } from '../../api/use-pages.ts';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { Section } from '../../parts/Section.tsx';
import { PermissionRow } from './PermissionRow.tsx';

/** What a token may do in its channels and in one more, with the rule that decides each cell. */
export function TokenPermissions({ id }: { id: string }) {
  const [other, setOther] = useState('');
  const [settled] = useDebouncedValue(other.trim(), 300);
  const { nodes } = usePages(TokenChannelsDocument, { id }, ({ token }) => token?.channels);
  const channels = [...nodes.map((channel) => channel.id).filter((name) => name !== settled), settled].filter(
    Boolean,
  );
  return (
    <Section title="Effective permissions" about="Each cell names the rule that decides.">
      <TextInput
        label="Another channel"
        placeholder="For example room:1"
        value={other}
        onChange={(event) => setOther(event.currentTarget.value)}
      />
      {channels.length === 0 ? (
        <EmptyState title="No channel to explain">Type the id of a channel.</EmptyState>
      ) : (
        <div className="table-box" tabIndex={0} role="region" aria-label="Effective permissions">
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Channel</Table.Th>
                {ACTIONS.map((action) => (
                  <Table.Th key={action}>{action}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {channels.map((channel) => (
                <PermissionRow key={channel} token={id} channel={channel} />
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </Section>
  );
}
