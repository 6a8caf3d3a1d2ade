import { useState, type FormEvent } from 'react';
import { Button, Stack, TextInput } from '@mantine/core';
import { request, type Client } from '../client/request.ts';
import { JsonField } from '../fields/JsonField.tsx';
import { PublishMessageDocument } from '../generated/operations.ts';
import { ErrorNotice } from '../parts/ErrorNotice.tsx';
import { parseJson } from '../parts/json.ts';
import { Section } from '../parts/Section.tsx';

/** Publishes as the token of the test client, so that mutes and grants show; to the channel `suggested`, until another is typed. */
export function TestPublish({ client, suggested }: { client: Client; suggested: string }) {
  const [typed, setChannel] = useState<string>();
  const channel = typed ?? suggested;
  const [event, setEvent] = useState('message');
  const [text, setText] = useState('{ "text": "hello" }');
  const [error, setError] = useState<unknown>();
  const { value: data, problem } = parseJson(text, 'The data');
  async function send(submit: FormEvent): Promise<void> {
    submit.preventDefault();
    setError(undefined);
    try {
      await request(client, PublishMessageDocument, { channel, event, ...(data !== undefined && { data }) });
    } catch (refused) {
      setError(refused);
    }
  }
  return (
    <Section title="Publish as this token">
      <form onSubmit={(submit) => void send(submit)}>
        <Stack gap="sm">
          <TextInput
            label="Channel"
            required
            withAsterisk={false}
            value={channel}
            onChange={(change) => setChannel(change.currentTarget.value)}
          />
          <TextInput
            label="Event"
            required
            withAsterisk={false}
            value={event}
            onChange={(change) => setEvent(change.currentTarget.value)}
          />
          <JsonField label="Data" text={text} onChange={setText} />
          <ErrorNotice error={error} />
          <Button type="submit" disabled={problem !== undefined} w="fit-content">
            Publish
          </Button>
        </Stack>
      </form>
    </Section>
  );
}
