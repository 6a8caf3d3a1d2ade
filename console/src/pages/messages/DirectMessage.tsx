import { useState } from 'react';
import { PublishDirectMessageDocument, type ReceiptFragment } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { argumentsOf, EMPTY_MESSAGE } from './message-draft.ts';
import { MessageFields } from './MessageFields.tsx';
import { ReceiptNotice } from './ReceiptNotice.tsx';

/** A direct address: a token, an identity or a connection. */
export interface DirectAddress {
  readonly kind: 'token' | 'identity' | 'connection';
  readonly value: string;
}

/** A button that publishes directly to one address. */
export function DirectMessage({ address }: { address: DirectAddress }) {
  const [draft, setDraft] = useState(EMPTY_MESSAGE);
  const [receipt, setReceipt] = useState<ReceiptFragment>();
  const { values, problem } = argumentsOf(draft);
  return (
    <ActionButton
      label="Direct message"
      scope="PUBLISH"
      operation={PublishDirectMessageDocument}
      variables={{ [address.kind]: address.value, ...values }}
      problem={problem}
      submit="Publish"
      staysOpen
      onDone={({ publishDirectMessage }) => setReceipt(publishDirectMessage)}
    >
      <MessageFields draft={draft} onChange={setDraft} />
      <ReceiptNotice receipt={receipt} />
    </ActionButton>
  );
}
