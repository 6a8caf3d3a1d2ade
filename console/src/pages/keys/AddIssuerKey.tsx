import { useState } from 'react';
import { AddIssuerKeyDocument, type IssuerDetailsFragment } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { IssuerKeyFields, keyOf, NO_KEY } from './IssuerKeyFields.tsx';

/** Adds a key to an issuer, so that keys can be rotated. */
export function AddIssuerKey({ issuer: { id, kind, name } }: { issuer: IssuerDetailsFragment }) {
  const [draft, setDraft] = useState(NO_KEY);
  return (
    <ActionButton
      label="Add a key"
      accessibleName={`Add a key to ${name}`}
      size="compact-sm"
      scope="ADMIN"
      operation={AddIssuerKeyDocument}
      variables={{ issuer: id, key: keyOf(kind, draft) }}
      submit="Add the key"
      onOpen={() => setDraft(NO_KEY)}
      onDone={() => setDraft(NO_KEY)}
    >
      <IssuerKeyFields kind={kind} draft={draft} onChange={setDraft} />
    </ActionButton>
  );
}
