import { Table, Text } from '@mantine/core';
import { ACTIONS } from '../../fields/grant.ts';
import { EffectivePermissionsDocument } from '../../generated/operations.ts';
import { useOperation } from '../../api/use-operation.ts';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { ChannelLink } from '../../parts/links.tsx';
import { Tag } from '../../parts/Tag.tsx';

/** The four actions of a token in one channel. */
export function PermissionRow({ token, channel }: { token: string; channel: string }) {
  const { data, error } = useOperation(EffectivePermissionsDocument, { token, channel });
  return (
    <Table.Tr>
      <Table.Td>
        <ChannelLink id={channel} />
      </Table.Td>
      {error ? (
        <Table.Td colSpan={ACTIONS.length}>
          <ErrorNotice error={error} />
        </Table.Td>
      ) : (
        ACTIONS.map((action) => {
          const cell = data?.[action];
          return (
            <Table.Td key={action} title={cell?.because}>
              {cell && <Tag tone={cell.allowed ? 'good' : 'bad'}>{cell.allowed ? 'yes' : 'no'}</Tag>}
              {cell && (
                <Text size="xs" c="dimmed">
                  {cell.rule}
                </Text>
              )}
            </Table.Td>
          );
        })
      )}
    </Table.Tr>
  );
}
