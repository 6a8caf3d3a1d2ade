import { NumberInput, SimpleGrid, Switch } from '@mantine/core';
import {
  ProjectSettingsDocument,
  UpdateProjectDocument,
  type SettingsFragment,
} from '../../generated/operations.ts';
import { useScope } from '../../client/session-context.ts';
import { useEdits } from '../../api/use-edits.ts';
import { useReread } from '../../api/use-operation.ts';
import { ActionForm } from '../../parts/ActionForm.tsx';
import { Details } from '../../parts/Details.tsx';
import { Section } from '../../parts/Section.tsx';
import { NUMBERS, SWITCHES } from './settings.ts';

/** Changes the settings; only what differs is sent. Without the scope ADMIN they are shown as text. */
export function SettingsForm({ settings }: { settings: SettingsFragment }) {
  const mayEdit = useScope('ADMIN');
  const read = useReread(ProjectSettingsDocument, {});
  const { values, changes, change, basis } = useEdits(withoutPermissions(settings), async () => {
    const { settings: stored } = (await read()).project;
    return stored && withoutPermissions(stored);
  });
  if (!mayEdit)
    return (
      <Section title="Settings">
        <Details
          entries={[
            ...SWITCHES.map(({ name, label }) => [label, settings[name] ? 'on' : 'off'] as const),
            ...NUMBERS.map(({ name, label }) => [label, describeSeconds(settings[name])] as const),
          ]}
        />
      </Section>
    );
  return (
    <Section title="Settings" about="A change applies to live connections before it is confirmed.">
      <ActionForm
        operation={UpdateProjectDocument}
        variables={{ settings: changes }}
        basis={basis}
        problem={
          Object.keys(changes).length === 0 ? 'Change a setting; only what differs is sent.' : undefined
        }
        submit="Save the settings"
      >
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          {SWITCHES.map(({ name, label, description }) => (
            <Switch
              key={name}
              label={label}
              description={description}
              checked={values[name]}
              onChange={(event) => change({ [name]: event.currentTarget.checked })}
            />
          ))}
          {NUMBERS.map(({ name, label, description }) => (
            <NumberInput
              key={name}
              label={`${label} (seconds)`}
              description={description}
              min={0}
              allowDecimal={false}
              hideControls
              value={values[name] ?? ''}
              onChange={(value) => change({ [name]: typeof value === 'number' ? value : null })}
            />
          ))}
        </SimpleGrid>
      </ActionForm>
    </Section>
  );
}

const withoutPermissions = ({ permissions: _, ...settings }: SettingsFragment) => settings;

function describeSeconds(seconds: number | null): string {
  return seconds === null ? 'not set' : `${seconds} s`;
}
