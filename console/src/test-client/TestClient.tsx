import { Container, Stack, Text, Title } from '@mantine/core';
import { EmptyState } from '../parts/EmptyState.tsx';
import { Section } from '../parts/Section.tsx';
import { Tag } from '../parts/Tag.tsx';
import { ClockTime } from '../parts/Time.tsx';
import { describeEvent } from './describe-event.ts';
import { TestPublish } from './TestPublish.tsx';
import { useCredential } from './use-credential.ts';
import { useTestClient } from './use-test-client.ts';

/** A client in a window of its own: it connects with a credential and shows all that it receives. */
export function TestClient() {
  const credential = useCredential();
  const { client, status, events } = useTestClient(credential);
  return (
    <Container component="main" size="sm" py="md">
      <Stack gap="md">
        <div>
          <Title order={1} size="h2">
            Test client
          </Title>
          <Text c="dimmed" size="sm">
            A client of @signalbox/client, as an app has it. Closing the window ends it.
          </Text>
        </div>
        <div role="status">
          <Tag tone={status?.state === 'connected' ? 'good' : 'warn'}>
            {status?.message ?? 'Waits for a credential. Open it from the page of a token.'}
          </Tag>
        </div>
        {client && <TestPublish client={client} />}
        <Section title="Received">
          {events.length === 0 ? (
            <EmptyState title="Nothing yet">
              Publish a message to a channel of the token, or directly to it.
            </EmptyState>
          ) : (
            <ol className="events">
              {events.map((event, index) => (
                <li key={events.length - index}>
                  <ClockTime at={event.at} /> {describeEvent(event)}
                </li>
              ))}
            </ol>
          )}
        </Section>
      </Stack>
    </Container>
  );
}
