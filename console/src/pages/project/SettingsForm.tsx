import { useState } from 'react';
import { NumberInput, SimpleGrid, Switch } from '@mantine/core';
import { UpdateProjectDocument, type SettingsFragment } from '../../generated/operations.ts';
import { useScope } from '../../client/session-context.ts';
import { ActionForm } from '../../parts/ActionForm.tsx';
import { Details } from '../../parts/Details.tsx';
import { Section } from '../../parts/Section.tsx';
import { NUMBERS, SWITCHES } from './settings.ts';

/** Changes the settings; only what differs is sent. Without the scope ADMIN they are shown as text. */
export function SettingsForm({ settings }: { settings: SettingsFragment }) {
  const [draft, setDraft] = useState(settings);
  const mayEdit = useScope('ADMIN');
  const names = [...SWITCHES, ...NUMBERS]
    .map(({ name }) => name)
    .filter((name) => draft[name] !== settings[name]);
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
        variables={{ settings: Object.fromEntries(names.map((name) => [name, draft[name]])) }}
        problem={names.length === 0 ? 'Change a setting; only what differs is sent.' : undefined}
        submit="Save the settings"
      >
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          {SWITCHES.map(({ name, label, description }) => (
            <Switch
              key={name}
              label={label}
              description={description}
              checked={draft[name]}
              onChange={(event) => setDraft({ ...draft, [name]: event.currentTarget.checked })}
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
              value={draft[name] ?? ''}
              onChange={(value) => setDraft({ ...draft, [name]: typeof value === 'number' ? value : null })}
            />
          ))}
        </SimpleGrid>
      </ActionForm>
    </Section>
  );
}

function describeSeconds(seconds: number | null): string {
  return seconds === null ? 'not set' : `${seconds} s`;
}
