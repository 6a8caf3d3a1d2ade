import { Container, Stack, Text, Title } from '@mantine/core';
import { EmptyState } from '../parts/EmptyState.tsx';
import { Section } from '../parts/Section.tsx';
import { Tag } from '../parts/Tag.tsx';
import { ClockTime } from '../parts/Time.tsx';
import { describeEvent } from './describe-event.ts';
import { TestPublish } from './TestPublish.tsx';
import { useCredential } from './use-credential.ts';
import { useTestClient, type TestEvent } from './use-test-client.ts';

/** The channel that the client was subscribed to last; empty where there is none. */
function newestChannel(events: readonly TestEvent[]): string {
  for (const event of events) {
    if (event.__typename === 'ChannelAvailable') return event.channel.id;
    if (event.__typename === 'Connected' && event.channels[0]) return event.channels[0].id;
  }
  return '';
}

/** A client in a window of its own: it connects with a credential and shows all that it receives. */
export function TestClient() {
  const credential = useCredential();
  const { client, status, events } = useTestClient(credential);
  const connected = events.find((event) => event.__typename === 'Connected');
  const identity = connected?.token?.identity ?? undefined;
  return (
    <Container component="main" size="sm" py="md">
      <Stack gap="md">
        <div>
          <Title order={1} size="h2">
            Test client{identity !== undefined && `: ${identity}`}
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
        {client && <TestPublish client={client} suggested={newestChannel(events)} />}
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
