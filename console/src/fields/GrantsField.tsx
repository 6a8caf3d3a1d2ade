import { Button, Checkbox, Fieldset, Group, Stack, Text, TextInput } from '@mantine/core';
import { TimeField } from './TimeField.tsx';
import { ACTIONS, type GrantDraft } from './grant.ts';

interface Properties {
  grants: readonly GrantDraft[];
  onChange(grants: readonly GrantDraft[]): void;
}

/** Edits the grants of a token: a pattern of channels and its actions. */
export function GrantsField({ grants, onChange }: Properties) {
  const change = (index: number, part: Partial<GrantDraft>) =>
    onChange(grants.map((grant, at) => (at === index ? { ...grant, ...part } : grant)));
  return (
    <Fieldset legend="Grants" p="sm">
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          Without grants, the role decides alone. Grants narrow it to matching channels and actions.
        </Text>
        {grants.map((grant, index) => (
          <Group key={index} gap="sm" align="flex-end">
            <TextInput
              label={`Channels of grant ${index + 1}`}
              placeholder="For example room:*"
              value={grant.channels}
              onChange={(event) => change(index, { channels: event.currentTarget.value })}
            />
            <Group gap="xs">
              {ACTIONS.map((action) => (
                <Checkbox
                  key={action}
                  label={action}
                  size="xs"
                  checked={grant.actions.includes(action)}
                  onChange={({ currentTarget: { checked } }) =>
                    change(index, {
                      actions: ACTIONS.filter((other) =>
                        other === action ? checked : grant.actions.includes(other),
                      ),
                    })
                  }
                />
              ))}
            </Group>
            <TimeField
              label={`Grant ${index + 1} expires`}
              value={grant.expiresAt ?? null}
              onChange={(expiresAt) => change(index, { expiresAt })}
            />
            <Button
              size="compact-sm"
              variant="default"
              aria-label={`Remove grant ${index + 1}`}
              onClick={() => onChange(grants.filter((_, at) => at !== index))}
            >
              Remove
            </Button>
          </Group>
        ))}
        <Group>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => onChange([...grants, { channels: '', actions: ['SUBSCRIBE'] }])}
          >
            Add a grant
          </Button>
        </Group>
      </Stack>
    </Fieldset>
  );
}
