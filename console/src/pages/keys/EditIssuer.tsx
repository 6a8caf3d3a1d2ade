import { useState } from 'react';
import { Text, TextInput } from '@mantine/core';
import { UpdateIssuerDocument, type IssuerDetailsFragment } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { ProviderFields } from './ProviderFields.tsx';
import { draftOf, NO_PROVIDER, providerChangesOf } from './provider-draft.ts';

const fieldsOf = ({ name, service, provider }: IssuerDetailsFragment) => ({
  name,
  service: service ?? '',
  provider: provider ? draftOf(provider) : NO_PROVIDER,
});

/** Changes what can be changed of an issuer, by its kind; only what differs is sent. */
export function EditIssuer({ issuer }: { issuer: IssuerDetailsFragment }) {
  const [stored, setStored] = useState(() => fieldsOf(issuer));
  const [draft, setDraft] = useState(stored);
  const provider = providerChangesOf(stored.provider, draft.provider);
  const input = {
    ...(draft.name !== stored.name && { name: draft.name }),
    ...(draft.service !== stored.service && { service: draft.service === '' ? null : draft.service }),
    ...(provider && { provider }),
  };
  const isUnchanged = Object.keys(input).length === 0;
  return (
    <ActionButton
      label="Edit"
      accessibleName={`Edit ${issuer.name}`}
      title="Edit the issuer"
      size="compact-sm"
      scope="ADMIN"
      operation={UpdateIssuerDocument}
      variables={{ issuer: issuer.id, input }}
      problem={isUnchanged ? 'Change a field; only what differs is sent.' : undefined}
      submit="Save"
      onOpen={() => {
        setStored(fieldsOf(issuer));
        setDraft(fieldsOf(issuer));
      }}
    >
      <Text size="sm">
        Applies to credentials that are presented from now on; live connections stay.
        {issuer.kind !== 'JWKS' && ' A secret is replaced by adding a key and removing the old one.'}
      </Text>
      <TextInput
        label="Name"
        required
        withAsterisk={false}
        value={draft.name}
        onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
      />
      {issuer.kind === 'TWILIO' && (
        <TextInput
          label="Service SID"
          description="IS…, the Sync service that the grant must name. Empty: any service."
          value={draft.service}
          onChange={(event) => setDraft({ ...draft, service: event.currentTarget.value })}
        />
      )}
      {issuer.provider && (
        <ProviderFields
          draft={draft.provider}
          onChange={(changed) => setDraft({ ...draft, provider: changed })}
        />
      )}
    </ActionButton>
  );
}
