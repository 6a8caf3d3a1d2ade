import { Alert } from '@mantine/core';
import { type ReceiptFragment } from '../../generated/operations.ts';

/** The outcome of a publish. */
export function ReceiptNotice({ receipt }: { receipt: ReceiptFragment | undefined }) {
  if (!receipt) return null;
  const { message, connections, repeated } = receipt;
  return (
    <Alert color="green" role="status">
      {repeated
        ? `Nothing was published: the idempotency key belongs to ${message.id}.`
        : `${message.id} was delivered to ${connections} live ${connections === 1 ? 'connection' : 'connections'}${message.channel === null ? '' : '; consoles on the page of the channel are counted'}.`}
    </Alert>
  );
}
