import { useState } from 'react';
import { Alert, Code, NativeSelect, TextInput } from '@mantine/core';
import { ChannelField } from '../../fields/ChannelField.tsx';
import { ACTIONS } from '../../fields/grant.ts';
import {
  ExplainPermissionDocument,
  type Action,
  type ExplainPermissionQuery,
} from '../../generated/operations.ts';
import { ActionForm } from '../../parts/ActionForm.tsx';
import { Section } from '../../parts/Section.tsx';

/** Whether a token may take an action in a channel, and which rule decides. */
export function ExplainPermission() {
  const [token, setToken] = useState('');
  const [channel, setChannel] = useState('');
  const [action, setAction] = useState<Action>('SUBSCRIBE');
  const [answer, setAnswer] = useState<ExplainPermissionQuery['explainPermission']>();
  return (
    <Section title="Permission" about="May this token do that in this channel now?">
      <ActionForm
        operation={ExplainPermissionDocument}
        variables={{ ...(token.trim() !== '' && { token: token.trim() }), channel, action }}
        submit="Explain"
        onDone={({ explainPermission }) => setAnswer(explainPermission)}
      >
        <TextInput
          label="Token"
          description="Empty: a caller without a credential."
          placeholder="token_…"
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
        />
        <ChannelField value={channel} onChange={setChannel} />
        <NativeSelect
          label="Action"
          value={action}
          onChange={({ currentTarget: { value } }) =>
            setAction(ACTIONS.find((name) => name === value) ?? 'SUBSCRIBE')
          }
          data={[...ACTIONS]}
        />
        {answer && (
          <Alert
            color={answer.allowed ? 'green' : 'red'}
            title={answer.allowed ? 'Allowed' : 'Refused'}
            role="status"
          >
            {answer.because} <Code>{answer.rule}</Code>
          </Alert>
        )}
      </ActionForm>
    </Section>
  );
}
