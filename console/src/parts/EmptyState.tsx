import { type ReactNode } from 'react';
import { Stack, Text } from '@mantine/core';

/** What a list shows when it is empty: what belongs here, and the next step. */
export function EmptyState({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap={4} align="center" py="xl" px="md" className="empty">
      <Text fw={600}>{title}</Text>
      <Text c="dimmed" size="sm" ta="center" component="div">
        {children}
      </Text>
    </Stack>
  );
}
