import { useState } from 'react';
import { NativeSelect, TextInput } from '@mantine/core';
import { grantsOf, type GrantDraft } from '../../fields/grant.ts';
import { GrantsField } from '../../fields/GrantsField.tsx';
import { JsonField } from '../../fields/JsonField.tsx';
import { LIFETIMES, secondsOf } from '../../fields/lifetime.ts';
import { roleArguments, roleChoice, RoleField } from '../../fields/RoleField.tsx';
import { UpdateTokenDocument, type TokenDetailsFragment } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { parseJson } from '../../parts/json.ts';

const CHOICES = LIFETIMES.map((choice) =>
  choice.value === '' ? { ...choice, label: 'Keep the expiry' } : choice,
);

/** Changes a token. Its live connections follow before the answer comes. */
export function EditToken({ token }: { token: TokenDetailsFragment }) {
  const [role, setRole] = useState(roleChoice(token));
  const [grants, setGrants] = useState<readonly GrantDraft[]>(token.grants ?? []);
  const [lifetime, setLifetime] = useState('');
  const [connectionData, setConnectionData] = useState(token.connectionData ?? '');
  const [stateText, setStateText] = useState(
    token.state === null ? '' : JSON.stringify(token.state, null, 2),
  );
  const { value: state, problem } = parseJson(stateText, 'The state');
  const expiresIn = secondsOf(lifetime);
  const input = {
    ...(role !== roleChoice(token) && roleArguments(role)),
    ...(JSON.stringify(grants) !== JSON.stringify(token.grants ?? []) && {
      grants: grantsOf(grants) ?? null,
    }),
    ...(expiresIn !== undefined && { expiresIn }),
    ...(connectionData !== (token.connectionData ?? '') && {
      connectionData: connectionData === '' ? null : connectionData,
    }),
    ...(JSON.stringify(state ?? null) !== JSON.stringify(token.state) && { state: state ?? null }),
  };
  const isUnchanged = Object.keys(input).length === 0;
  return (
    <ActionButton
      label="Edit"
      scope="TOKENS"
      title="Edit the token"
      operation={UpdateTokenDocument}
      variables={{ id: token.id, input }}
      problem={problem ?? (isUnchanged ? 'Change a field; only what differs is sent.' : undefined)}
      submit="Save"
    >
      <RoleField value={role} onChange={setRole} />
      <GrantsField grants={grants} onChange={setGrants} />
      <NativeSelect
        label="Expires"
        value={lifetime}
        onChange={(event) => setLifetime(event.currentTarget.value)}
        data={CHOICES}
      />
      <TextInput
        label="Connection data"
        value={connectionData}
        onChange={(event) => setConnectionData(event.currentTarget.value)}
      />
      <JsonField label="State" text={stateText} onChange={setStateText} />
    </ActionButton>
  );
}
