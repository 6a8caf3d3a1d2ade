import { Stack } from '@mantine/core';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { ExplainDelivery } from './ExplainDelivery.tsx';
import { ExplainPermission } from './ExplainPermission.tsx';

/** Answers why something is allowed or refused. */
export function ExplainPage() {
  return (
    <>
      <PageHeader
        title="Explain"
        about="Why something is allowed or refused, and whether a message arrived."
      />
      <Stack gap="md">
        <ExplainPermission />
        <ExplainDelivery />
      </Stack>
    </>
  );
}
