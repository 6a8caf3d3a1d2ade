import { useState } from 'react';
import { NativeSelect, TextInput } from '@mantine/core';
import { grantsOf, type GrantDraft } from '../../fields/grant.ts';
import { GrantsField } from '../../fields/GrantsField.tsx';
import { JsonField } from '../../fields/JsonField.tsx';
import { LIFETIMES, secondsOf } from '../../fields/lifetime.ts';
import { roleArguments, roleChoice, RoleField } from '../../fields/RoleField.tsx';
import {
  TokenDetailsDocument,
  UpdateTokenDocument,
  type TokenDetailsFragment,
} from '../../generated/operations.ts';
import { isSame, useEdits } from '../../api/use-edits.ts';
import { useReread } from '../../api/use-operation.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { parseJson } from '../../parts/json.ts';

const CHOICES = LIFETIMES.map((choice) =>
  choice.value === '' ? { ...choice, label: 'Keep the expiry' } : choice,
);

const fieldsOf = (token: TokenDetailsFragment) => ({
  role: roleChoice(token),
  grants: (token.grants ?? []) as readonly GrantDraft[],
  connectionData: token.connectionData ?? '',
  stateText: token.state === null ? '' : JSON.stringify(token.state, null, 2),
});

/** Changes a token. Its live connections follow before the answer comes. */
export function EditToken({ token }: { token: TokenDetailsFragment }) {
  const read = useReread(TokenDetailsDocument, { id: token.id });
  const { values, changes, change, reset, basis } = useEdits(fieldsOf(token), async () => {
    const { token: stored } = await read();
    return stored ? fieldsOf(stored) : undefined;
  });
  const { role, grants, connectionData, stateText } = values;
  const [lifetime, setLifetime] = useState('');
  const { value: state, problem } = parseJson(stateText, 'The state');
  const expiresIn = secondsOf(lifetime);
  const input = {
    ...(changes.role !== undefined && roleArguments(role)),
    ...(changes.grants && { grants: grantsOf(grants) ?? null }),
    ...(expiresIn !== undefined && { expiresIn }),
    ...(changes.connectionData !== undefined && {
      connectionData: connectionData === '' ? null : connectionData,
    }),
    ...(!isSame(state ?? null, token.state) && { state: state ?? null }),
  };
  const isUnchanged = Object.keys(input).length === 0;
  return (
    <ActionButton
      label="Edit"
      scope="TOKENS"
      title="Edit the token"
      operation={UpdateTokenDocument}
      variables={{ id: token.id, input }}
      basis={basis}
      problem={problem ?? (isUnchanged ? 'Change a field; only what differs is sent.' : undefined)}
      submit="Save"
      onOpen={() => {
        reset();
        setLifetime('');
      }}
    >
      <RoleField value={role} onChange={(chosen) => change({ role: chosen })} />
      <GrantsField grants={grants} onChange={(changed) => change({ grants: changed })} />
      <NativeSelect
        label="Expires"
        value={lifetime}
        onChange={(event) => setLifetime(event.currentTarget.value)}
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
