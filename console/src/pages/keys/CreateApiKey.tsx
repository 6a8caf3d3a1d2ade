import { useState } from 'react';
import { Checkbox, Group, NativeSelect, TextInput } from '@mantine/core';
import { LIFETIMES, untilOf } from '../../fields/lifetime.ts';
import { CreateApiKeyDocument, type ApiKeyScope } from '../../generated/operations.ts';
import { useSession } from '../../client/session-context.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';

const SCOPES: readonly ApiKeyScope[] = ['READ', 'PUBLISH', 'TOKENS', 'CHANNELS', 'MODERATE', 'KEYS', 'ADMIN'];
const CHOICES = LIFETIMES.map((choice) => (choice.value === '' ? { ...choice, label: 'Never' } : choice));

/** Creates an API key that may do what its scopes say. */
export function CreateApiKey({ onSecret }: { onSecret(secret: string): void }) {
  const { apiKey, project: own } = useSession();
  const [project, setProject] = useState('');
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly string[]>(['READ']);
  const [channels, setChannels] = useState('');
  const [lifetime, setLifetime] = useState('');
  const [canSign, setCanSign] = useState(false);
  const chosen = SCOPES.filter((scope) => scopes.includes(scope));
  // The dialog may stay open for long: the lifetime begins when the form is sent.
  const variables = () => {
    const expiresAt = untilOf(lifetime);
    return {
      ...(project !== '' && { project }),
      ...(name !== '' && { name }),
      ...(chosen.length > 0 && { scopes: chosen }),
      ...(channels !== '' && { channels }),
      ...(canSign && { canSign }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
  };
  return (
    <ActionButton
      label="Create API key"
      scope="KEYS"
      operation={CreateApiKeyDocument}
      variables={variables}
      submit="Create API key"
      // The next key is for the own project, unless another one is named again.
      onOpen={() => setProject('')}
      onDone={({ createApiKey }) => onSecret(createApiKey.secret)}
    >
      <TextInput
        label="Name"
        description="What the key is for."
        value={name}
        data-autofocus
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {apiKey.isOperator && (
        <TextInput
          label="Project"
          description={`The id of the project that the key belongs to. Empty: ${own}.`}
          value={project}
          onChange={(event) => setProject(event.currentTarget.value)}
        />
      )}
      <Checkbox.Group
        label="Scopes"
        description="Without any, the key may do everything in the project."
        value={[...scopes]}
        onChange={setScopes}
      >
        <Group gap="sm" mt={6}>
          {SCOPES.map((scope) => (
            <Checkbox key={scope} value={scope} label={scope} />
          ))}
        </Group>
      </Checkbox.Group>
      <TextInput
        label="Channels"
        description="A pattern such as room:*. The key then acts in matching channels only."
        value={channels}
        onChange={(event) => setChannels(event.currentTarget.value)}
      />
      <NativeSelect
        label="Expires"
        value={lifetime}
        onChange={(event) => setLifetime(event.currentTarget.value)}
        data={CHOICES}
      />
      <Checkbox
        label="May sign credentials"
        description="The backend then signs credentials by itself, without a call."
        checked={canSign}
        onChange={(event) => setCanSign(event.currentTarget.checked)}
      />
    </ActionButton>
  );
}
