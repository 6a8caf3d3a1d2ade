import { Text, TextInput } from '@mantine/core';
import {
  IssuersDocument,
  UpdateIssuerDocument,
  type IssuerDetailsFragment,
} from '../../generated/operations.ts';
import { useEdits } from '../../api/use-edits.ts';
import { useReread } from '../../api/use-operation.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { ProviderFields } from './ProviderFields.tsx';
import { draftOf, NO_PROVIDER, providerChangesOf } from './provider-draft.ts';

const fieldsOf = ({ name, service, provider }: IssuerDetailsFragment) => ({
  name,
  service: service ?? '',
  ...(provider ? draftOf(provider) : NO_PROVIDER),
});

/** Changes what can be changed of an issuer, by its kind; only what differs is sent. */
export function EditIssuer({ issuer }: { issuer: IssuerDetailsFragment }) {
  const read = useReread(IssuersDocument, {});
  const stored = fieldsOf(issuer);
  const { values, changes, change, reset, basis } = useEdits(stored, async () => {
    const now = (await read()).project.issuers.find(({ id }) => id === issuer.id);
    return now && fieldsOf(now);
  });
  const provider = providerChangesOf(stored, values);
  const input = {
    ...(changes.name !== undefined && { name: changes.name }),
    ...(changes.service !== undefined && { service: changes.service === '' ? null : changes.service }),
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
      basis={basis}
      problem={isUnchanged ? 'Change a field; only what differs is sent.' : undefined}
      submit="Save"
      onOpen={reset}
    >
      <Text size="sm">
        Applies to credentials that are presented from now on; live connections stay.
        {issuer.kind !== 'JWKS' && ' A secret is replaced by adding a key and removing the old one.'}
      </Text>
      <TextInput
        label="Name"
        required
        withAsterisk={false}
        value={values.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      {issuer.kind === 'TWILIO' && (
        <TextInput
          label="Service SID"
          description="IS…, the Sync service that the grant must name. Empty: any service."
          value={values.service}
          onChange={(event) => change({ service: event.currentTarget.value })}
        />
      )}
      {issuer.provider && <ProviderFields draft={values} onChange={change} />}
    </ActionButton>
  );
}
