import { type ReactNode } from 'react';
import { Group, Text, Title } from '@mantine/core';

interface Properties {
  title: string;
  about?: string | undefined;
  /** The buttons of the page. */
  children?: ReactNode;
}

/** The heading of a page with its buttons. */
export function PageHeader({ title, about, children }: Properties) {
  return (
    <Group justify="space-between" align="flex-end" mb="md" gap="sm">
      <div className="page-title">
        <Title order={1} size="h2">
          {title}
        </Title>
        {about !== undefined && (
          <Text c="dimmed" size="sm">
            {about}
          </Text>
        )}
      </div>
      <Group gap="xs">{children}</Group>
    </Group>
  );
}
