import { useState } from 'react';
import { AddIssuerKeyDocument } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { IssuerKeyFields, keyOf, NO_KEY } from './IssuerKeyFields.tsx';

/** Adds a key to an issuer, so that keys can be rotated. */
export function AddIssuerKey({ issuer }: { issuer: string }) {
  const [draft, setDraft] = useState(NO_KEY);
  return (
    <ActionButton
      label="Add a key"
      size="compact-sm"
      scope="ADMIN"
      operation={AddIssuerKeyDocument}
      variables={{ issuer, key: keyOf(draft) }}
      submit="Add the key"
      onDone={() => setDraft(NO_KEY)}
    >
      <IssuerKeyFields draft={draft} onChange={setDraft} />
    </ActionButton>
  );
}
