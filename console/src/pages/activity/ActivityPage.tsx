import { useState } from 'react';
import { Chip, Group, Stack, Switch, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type ActivityKind } from '../../generated/operations.ts';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { replaceParam, useRoute } from '../../routing/route.ts';
import { useScope } from '../../client/session-context.ts';
import { ActivityTail } from './ActivityTail.tsx';
import { KINDS } from './kinds.ts';

const FILTERS = ['channel', 'token', 'identity'] as const;
const LABELS = { channel: 'Channel', token: 'Token', identity: 'Identity' } as const;

/** The activity of the project, the last ones first, then live. */
export function ActivityPage() {
  const { params } = useRoute();
  const mayAdminister = useScope('ADMIN');
  const [kinds, setKinds] = useState<readonly string[]>([]);
  const [payloads, setPayloads] = useState(false);
  const [settled] = useDebouncedValue(params.toString(), 300);
  const chosen = new URLSearchParams(settled);
  const filter = Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = chosen.get(name)?.trim();
      return value ? [[name, value]] : [];
    }),
  );
  const offered = KINDS.filter((kind) => kind !== 'ADMINISTRATION' || mayAdminister);
  const wanted: ActivityKind[] = offered.filter((kind) => kinds.includes(kind));
  const selected = {
    ...filter,
    ...(wanted.length > 0 && { kinds: wanted }),
    ...(payloads && { payloads }),
  };
  return (
    <>
      <PageHeader title="Activity" about="What happens in the project, and what happened last." />
      <Stack gap="md">
        <Group gap="sm" align="flex-end" className="filters">
          {FILTERS.map((name) => (
            <TextInput
              key={name}
              label={LABELS[name]}
              placeholder="all"
              value={params.get(name) ?? ''}
              onChange={(event) => replaceParam(name, event.currentTarget.value)}
            />
          ))}
          <Switch
            label="Show data"
            checked={payloads}
            onChange={(event) => setPayloads(event.currentTarget.checked)}
          />
        </Group>
        <Chip.Group multiple value={[...kinds]} onChange={setKinds}>
          <Group gap={6} role="group" aria-label="Kinds">
            {offered.map((kind) => (
              <Chip key={kind} value={kind} size="xs" variant="outline">
                {kind}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
        <ActivityTail filter={selected} />
      </Stack>
    </>
  );
}
