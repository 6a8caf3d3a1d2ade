import { useState } from 'react';
import { NativeSelect, TextInput } from '@mantine/core';
import { ChannelField } from '../../fields/ChannelField.tsx';
import { LIFETIMES, untilOf } from '../../fields/lifetime.ts';
import { tokenOrIdentityArguments, type TokenOrIdentity } from '../../fields/token-or-identity.ts';
import { TokenOrIdentityField } from '../../fields/TokenOrIdentityField.tsx';
import { BanDocument, MuteDocument } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';

const CHOICES = LIFETIMES.map((choice) =>
  choice.value === '' ? { ...choice, label: 'Until it is lifted' } : choice,
);

/** Buttons that mute and ban a token or an identity; `target` is absent where the form has a field for it. */
export function Restrict({ target }: { target?: TokenOrIdentity }) {
  return (
    <>
      <RestrictForm kind="Mute" target={target} />
      <RestrictForm kind="Ban" target={target} />
    </>
  );
}

function RestrictForm({ kind, target }: { kind: 'Mute' | 'Ban'; target: TokenOrIdentity | undefined }) {
  const [chosen, setChosen] = useState<TokenOrIdentity>({ kind: 'token', value: '' });
  const [channel, setChannel] = useState('');
  const [lifetime, setLifetime] = useState('');
  const [reason, setReason] = useState('');
  // The dialog may stay open for long: the time begins when the form is sent.
  const restriction = () => {
    const until = untilOf(lifetime);
    return {
      ...tokenOrIdentityArguments(target ?? chosen),
      ...(until !== undefined && { until }),
      ...(reason !== '' && { reason }),
    };
  };
  const fields = (
    <>
      {!target && <TokenOrIdentityField value={chosen} onChange={setChosen} />}
      <ChannelField
        value={channel}
        onChange={setChannel}
        required={kind === 'Ban'}
        {...(kind === 'Mute' && { description: 'Empty: all channels.' })}
      />
      <NativeSelect
        label="Until"
        value={lifetime}
        onChange={(event) => setLifetime(event.currentTarget.value)}
        data={CHOICES}
      />
      <TextInput
        label="Reason"
        description="The client is shown it."
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </>
  );
  const shared = { label: kind, scope: 'MODERATE', submit: kind } as const;
  if (kind === 'Ban')
    return (
      <ActionButton {...shared} operation={BanDocument} variables={() => ({ channel, ...restriction() })}>
        {fields}
      </ActionButton>
    );
  return (
    <ActionButton
      {...shared}
      operation={MuteDocument}
      variables={() => ({ ...(channel !== '' && { channel }), ...restriction() })}
    >
      {fields}
    </ActionButton>
  );
}
