import { useState, type ReactNode } from 'react';
import { PublishDirectMessageDocument, type ReceiptFragment } from '../../generated/operations.ts';
import { ActionForm } from '../../parts/ActionForm.tsx';
import { type DirectAddress } from './DirectMessage.tsx';
import { argumentsOf, EMPTY_MESSAGE } from './message-draft.ts';
import { MessageFields } from './MessageFields.tsx';
import { ReceiptNotice } from './ReceiptNotice.tsx';

/** Publishes directly to one address. `children` are the fields of the address. */
export function DirectForm({ address, children }: { address: DirectAddress; children: ReactNode }) {
  const [draft, setDraft] = useState(EMPTY_MESSAGE);
  const [receipt, setReceipt] = useState<ReceiptFragment>();
  const { values, problem } = argumentsOf(draft);
  return (
    <ActionForm
      operation={PublishDirectMessageDocument}
      variables={{ [address.kind]: address.value, ...values }}
      problem={problem}
      submit="Publish"
      onDone={({ publishDirectMessage }) => setReceipt(publishDirectMessage)}
    >
      {children}
      <MessageFields draft={draft} onChange={setDraft} />
      <ReceiptNotice receipt={receipt} />
    </ActionForm>
  );
}
