import { Text } from '@mantine/core';
import { UnbanDocument, UnmuteDocument, type RestrictionFragment } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';

/** Lifts a mute or a ban. */
export function Lift({ restriction }: { restriction: RestrictionFragment }) {
  const { kind, channel, token, identity } = restriction;
  const target = token === null ? { identity } : { token };
  const shared = {
    label: 'Lift',
    accessibleName: `Lift the ${kind.toLowerCase()} of ${token ?? identity ?? ''}`,
    size: 'compact-sm',
    scope: 'MODERATE',
    submit: 'Lift',
    children: <Text size="sm">The actions that it took away are allowed again at once.</Text>,
  } as const;
  if (kind === 'BAN' && channel !== null)
    return <ActionButton {...shared} operation={UnbanDocument} variables={{ channel, ...target }} />;
  return (
    <ActionButton
      {...shared}
      operation={UnmuteDocument}
      variables={{ ...(channel !== null && { channel }), ...target }}
    />
  );
}
