import { useState } from 'react';
import { Alert, Code, List, Text, TextInput } from '@mantine/core';
import {
  ExplainDeliveryDocument,
  type DeliveryOutcome,
  type ExplainDeliveryQuery,
} from '../../generated/operations.ts';
import { ActionForm } from '../../parts/ActionForm.tsx';
import { Section } from '../../parts/Section.tsx';
import { ClockTime } from '../../parts/Time.tsx';

const COLORS: Readonly<Record<DeliveryOutcome, string>> = {
  DELIVERED: 'green',
  NOT_DELIVERED: 'red',
  PENDING: 'yellow',
  UNKNOWN: 'gray',
};

/** Whether a token received a message, on which connections, and if not, by which rule. */
export function ExplainDelivery() {
  const [message, setMessage] = useState('');
  const [token, setToken] = useState('');
  const [answer, setAnswer] = useState<ExplainDeliveryQuery['explainDelivery']>();
  const field = (label: string, placeholder: string, value: string, onChange: (value: string) => void) => (
    <TextInput
      label={label}
      placeholder={placeholder}
      required
      withAsterisk={false}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
  return (
    <Section title="Delivery" about="Did this token get that message?">
      <ActionForm
        operation={ExplainDeliveryDocument}
        variables={{ message: message.trim(), token: token.trim() }}
        submit="Explain the delivery"
        onDone={({ explainDelivery }) => setAnswer(explainDelivery)}
      >
        {field('Message', 'msg_…', message, setMessage)}
        {field('Recipient', 'token_…', token, setToken)}
        {answer && (
          <Alert color={COLORS[answer.outcome]} title={answer.outcome} role="status">
            {answer.because} {answer.rule !== null && <Code>{answer.rule}</Code>}
            <List size="sm">
              {answer.deliveries.map(({ connection, node, at, replayed }, index) => (
                <List.Item key={index}>
                  {connection} on {node} {replayed && 'by a replay'} {at !== null && <ClockTime at={at} />}
                </List.Item>
              ))}
            </List>
            <MissingNodes title="Did not answer" nodes={answer.unansweredNodes} />
            <MissingNodes title="Ended since the message was published" nodes={answer.endedNodes} />
          </Alert>
        )}
      </ActionForm>
    </Section>
  );
}

/** The nodes whose deliveries the answer cannot contain. */
function MissingNodes({ title, nodes }: { title: string; nodes: readonly string[] }) {
  if (nodes.length === 0) return null;
  return (
    <Text size="sm">
      {title}: {nodes.join(', ')}
    </Text>
  );
}
