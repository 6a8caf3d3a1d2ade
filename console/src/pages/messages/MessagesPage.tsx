import { useState } from 'react';
import { NativeSelect, TextInput } from '@mantine/core';
import { ChannelField } from '../../fields/ChannelField.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { Section } from '../../parts/Section.tsx';
import { useSession } from '../../client/session-context.ts';
import { DirectForm } from './DirectForm.tsx';
import { PublishForm } from './PublishForm.tsx';

type Kind = 'channel' | 'token' | 'identity' | 'connection';

const ADDRESSES = [
  { value: 'channel', label: 'A channel' },
  { value: 'token', label: 'A token' },
  { value: 'identity', label: 'An identity' },
  { value: 'connection', label: 'A connection' },
] as const;
const LABELS = { token: 'Token', identity: 'Identity', connection: 'Connection' } as const;

/** Publishes to a channel, or directly to a token, an identity or a connection. */
export function MessagesPage() {
  const { apiKey } = useSession();
  const [kind, setKind] = useState<Kind>('channel');
  const [address, setAddress] = useState('');
  const kinds = ADDRESSES.filter(({ value }) => value === 'channel' || apiKey.channels === null);
  const choice = (
    <NativeSelect
      label="Publish to"
      value={kind}
      onChange={(event) =>
        setKind(kinds.find(({ value }) => value === event.currentTarget.value)?.value ?? 'channel')
      }
      data={kinds}
    />
  );
  return (
    <>
      <PageHeader title="Messages" about="Once a publish has returned, the message is kept and delivered." />
      <Section title="Publish a message">
        {kind === 'channel' ? (
          <PublishForm channel={address}>
            {choice}
            <ChannelField value={address} onChange={setAddress} />
          </PublishForm>
        ) : (
          <DirectForm address={{ kind, value: address.trim() }}>
            {choice}
            <TextInput
              label={LABELS[kind]}
              required
              withAsterisk={false}
              value={address}
              onChange={(event) => setAddress(event.currentTarget.value)}
            />
          </DirectForm>
        )}
      </Section>
    </>
  );
}
