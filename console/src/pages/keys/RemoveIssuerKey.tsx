import { useState } from 'react';
import { OverlapField } from '../../fields/OverlapField.tsx';
import { RemoveIssuerKeyDocument } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';

/** Removes a key of an issuer, at once or after an overlap. */
export function RemoveIssuerKey({ issuer, id }: { issuer: string; id: string }) {
  const [overlap, setOverlap] = useState('0');
  return (
    <ActionButton
      label="Remove key"
      accessibleName={`Remove key ${id}`}
      size="compact-sm"
      scope="ADMIN"
      operation={RemoveIssuerKeyDocument}
      variables={{ issuer, key: id, overlapSeconds: Number(overlap) }}
      submit="Remove the key"
      isDangerous
    >
      <OverlapField
        label="Accept credentials that are signed with it for"
        description="Afterwards they are refused, and the connections that used them close."
        value={overlap}
        onChange={setOverlap}
      />
    </ActionButton>
  );
}
