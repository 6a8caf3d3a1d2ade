import { useState, type ReactNode } from 'react';
import { PublishMessageDocument, type ReceiptFragment } from '../../generated/operations.ts';
import { ActionForm } from '../../parts/ActionForm.tsx';
import { argumentsOf, EMPTY_MESSAGE } from './message-draft.ts';
import { MessageFields } from './MessageFields.tsx';
import { ReceiptNotice } from './ReceiptNotice.tsx';

/** Publishes to a channel. */
export function PublishForm({ channel, children }: { channel: string; children?: ReactNode }) {
  const [draft, setDraft] = useState(EMPTY_MESSAGE);
  const [receipt, setReceipt] = useState<ReceiptFragment>();
  const { values, problem } = argumentsOf(draft);
  return (
    <ActionForm
      operation={PublishMessageDocument}
      variables={{ channel, ...values }}
      problem={problem}
      submit="Publish"
      onDone={({ publishMessage }) => setReceipt(publishMessage)}
    >
      {children}
      <MessageFields draft={draft} onChange={setDraft} />
      <ReceiptNotice receipt={receipt} />
    </ActionForm>
  );
}
