import { Paper, Text } from '@mantine/core';

/** One number with its name. */
export function Figure({ name, value }: { name: string; value: number }) {
  return (
    <Paper withBorder p="sm">
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <div className="stat">{value.toLocaleString('en')}</div>
    </Paper>
  );
}
