import { useState } from 'react';
import { Alert, Button, Group, Text } from '@mantine/core';
import { JsonField } from '../../fields/JsonField.tsx';
import { SetChannelStateDocument, type ChannelDetailsQuery } from '../../generated/operations.ts';
import { ActionForm } from '../../parts/ActionForm.tsx';
import { parseJson } from '../../parts/json.ts';
import { JsonDiff } from '../../parts/JsonDiff.tsx';
import { JsonView } from '../../parts/JsonView.tsx';
import { Section } from '../../parts/Section.tsx';
import { useScope } from '../../client/session-context.ts';

type Channel = NonNullable<ChannelDetailsQuery['channel']>;

/** Shows the state of a channel, and edits it against the version that the editor began with. */
export function ChannelState({ channel }: { channel: Channel }) {
  const mayEdit = useScope('CHANNELS');
  const [base, setBase] = useState<Channel>();
  return (
    <Section
      title="State"
      about={`Version ${channel.version}. Every subscriber receives each change.`}
      actions={
        mayEdit &&
        !base && (
          <Button size="compact-sm" variant="default" onClick={() => setBase(channel)}>
            Edit the state
          </Button>
        )
      }
    >
      {base ? (
        <StateEditor base={base} current={channel} onClose={() => setBase(undefined)} />
      ) : (
        <JsonView label="State" value={channel.state} />
      )}
    </Section>
  );
}

function StateEditor({ base, current, onClose }: { base: Channel; current: Channel; onClose(): void }) {
  const [text, setText] = useState(() => JSON.stringify(base.state, null, 2));
  const { value: state, problem } = parseJson(text, 'The state');
  return (
    <ActionForm
      operation={SetChannelStateDocument}
      variables={{ channel: base.id, state: state ?? null, ifVersion: base.version }}
      problem={problem}
      submit="Save the state"
      onDone={onClose}
    >
      {current.version !== base.version && (
        <Alert color="yellow">
          The state was changed meanwhile: it has version {current.version} now. Saving against version{' '}
          {base.version} is refused with CONFLICT. Close the editor to begin with the new state.
        </Alert>
      )}
      <JsonField label="New state" text={text} onChange={setText} rows={6} />
      {problem === undefined && (
        <>
          <Text size="sm">What changes:</Text>
          <JsonDiff before={base.state} after={state ?? null} />
        </>
      )}
      <Group>
        <Button size="compact-sm" variant="default" onClick={onClose}>
          Close the editor
        </Button>
      </Group>
    </ActionForm>
  );
}
