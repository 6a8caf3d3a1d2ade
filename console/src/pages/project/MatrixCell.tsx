import { Button, Checkbox, Stack, Text } from '@mantine/core';
import { ACTIONS } from '../../fields/grant.ts';
import { type Action } from '../../generated/operations.ts';
import { type Cell } from './matrix.ts';

interface Properties {
  /** The role and the kind, for screen readers. */
  name: string;
  cell: Cell;
  /** Absent: the cell is shown only. Null gives the cell back to its default. */
  onChange?(actions: readonly Action[] | null): void;
}

/** The four actions of one role in one kind of channel. */
export function MatrixCell({ name, cell: { actions, isStated }, onChange }: Properties) {
  if (!onChange) return <Text size="xs">{actions.length === 0 ? '—' : actions.join(', ')}</Text>;
  return (
    <Stack gap={4} role="group" aria-label={name}>
      {ACTIONS.map((action) => (
        <Checkbox
          key={action}
          size="xs"
          label={action}
          checked={actions.includes(action)}
          onChange={({ currentTarget: { checked } }) =>
            onChange(ACTIONS.filter((other) => (other === action ? checked : actions.includes(other))))
          }
        />
      ))}
      {isStated && (
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`Reset ${name}`}
          onClick={() => onChange(null)}
        >
          Reset
        </Button>
      )}
    </Stack>
  );
}
