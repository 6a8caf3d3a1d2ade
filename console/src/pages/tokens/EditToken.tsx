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

const draftOf = (token: TokenDetailsFragment) => ({
  role: roleChoice(token),
  grants: (token.grants ?? []) as readonly GrantDraft[],
  lifetime: '',
  connectionData: token.connectionData ?? '',
  stateText: token.state === null ? '' : JSON.stringify(token.state, null, 2),
});

/** Changes a token. Its live connections follow before the answer comes. */
export function EditToken({ token }: { token: TokenDetailsFragment }) {
  const [stored, setStored] = useState(token);
  const [draft, setDraft] = useState(() => draftOf(token));
  const { role, grants, lifetime, connectionData, stateText } = draft;
  const change = (part: Partial<typeof draft>) => setDraft({ ...draft, ...part });
  const { value: state, problem } = parseJson(stateText, 'The state');
  const expiresIn = secondsOf(lifetime);
  const input = {
    ...(role !== roleChoice(stored) && roleArguments(role)),
    ...(JSON.stringify(grants) !== JSON.stringify(stored.grants ?? []) && {
      grants: grantsOf(grants) ?? null,
    }),
    ...(expiresIn !== undefined && { expiresIn }),
    ...(connectionData !== (stored.connectionData ?? '') && {
      connectionData: connectionData === '' ? null : connectionData,
    }),
    ...(JSON.stringify(state ?? null) !== JSON.stringify(stored.state) && { state: state ?? null }),
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
      onOpen={() => {
        setStored(token);
        setDraft(draftOf(token));
      }}
    >
      <RoleField value={role} onChange={(chosen) => change({ role: chosen })} />
      <GrantsField grants={grants} onChange={(changed) => change({ grants: changed })} />
      <NativeSelect
        label="Expires"
        value={lifetime}
        onChange={(event) => change({ lifetime: event.currentTarget.value })}
        data={CHOICES}
      />
      <TextInput
        label="Connection data"
        value={connectionData}
        onChange={(event) => change({ connectionData: event.currentTarget.value })}
      />
      <JsonField label="State" text={stateText} onChange={(text) => change({ stateText: text })} />
    </ActionButton>
  );
}
