import { useState } from 'react';
import { NativeSelect, TextInput } from '@mantine/core';
import { CreateIssuerDocument, type IssuerKind } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { IssuerKeyFields, keyOf, NO_KEY } from './IssuerKeyFields.tsx';
import { NO_PROVIDER, providerOf } from './provider-draft.ts';
import { ProviderFields } from './ProviderFields.tsx';

const KINDS: readonly { value: IssuerKind; label: string }[] = [
  { value: 'SIGNALBOX', label: 'Your backend: JWTs with the claims of Signalbox' },
  { value: 'JWKS', label: 'An OpenID provider' },
  { value: 'STREAM', label: 'Stream Chat' },
  { value: 'TWILIO', label: 'Twilio Sync' },
  { value: 'OPENTOK', label: 'OpenTok or Vonage Video' },
];

const EMPTY = { name: '', account: '', service: '', key: NO_KEY, provider: NO_PROVIDER };

/** Accepts the credentials of another party, by its kind. */
export function CreateIssuer() {
  const [kind, setKind] = useState<IssuerKind>('SIGNALBOX');
  const [draft, setDraft] = useState(EMPTY);
  const change = (part: Partial<typeof EMPTY>) => setDraft({ ...draft, ...part });
  const { name, account, service, key, provider } = draft;
  const input = {
    kind,
    ...(name !== '' && { name }),
    ...(kind === 'JWKS' ? { provider: providerOf(provider) } : { key: keyOf(kind, key) }),
    ...(kind === 'TWILIO' && { account }),
    ...(kind === 'TWILIO' && service !== '' && { service }),
  };
  return (
    <ActionButton
      label="Add an issuer"
      scope="ADMIN"
      operation={CreateIssuerDocument}
      variables={{ input }}
      submit="Add the issuer"
      onOpen={() => change({ key: NO_KEY })}
      onDone={() => setDraft(EMPTY)}
    >
      <NativeSelect
        label="Kind"
        value={kind}
        onChange={(event) =>
          setKind(KINDS.find(({ value }) => value === event.currentTarget.value)?.value ?? kind)
        }
        data={[...KINDS]}
      />
      <TextInput
        label="Name"
        value={name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      {kind === 'TWILIO' && (
        <>
          <TextInput
            label="Account SID"
            description="AC…, which the claim sub must equal."
            required
            withAsterisk={false}
            value={account}
            onChange={(event) => change({ account: event.currentTarget.value })}
          />
          <TextInput
            label="Service SID"
            description="IS…, the Sync service that the grant must name. Empty: any service."
            value={service}
            onChange={(event) => change({ service: event.currentTarget.value })}
          />
        </>
      )}
      {kind === 'JWKS' ? (
        <>
          <TextInput
            label="Issuer"
            description="The exact value of the claim iss, usually https://…"
            required
            withAsterisk={false}
            value={provider.issuer}
            onChange={(event) => change({ provider: { ...provider, issuer: event.currentTarget.value } })}
          />
          <ProviderFields draft={provider} onChange={(changed) => change({ provider: changed })} />
        </>
      ) : (
        <IssuerKeyFields kind={kind} draft={key} onChange={(changed) => change({ key: changed })} />
      )}
    </ActionButton>
  );
}
