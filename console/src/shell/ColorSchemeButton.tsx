import { Button, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';

/** Switches between dark and light; at first the console follows the system. */
export function ColorSchemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const current = useComputedColorScheme('light');
  const other = current === 'dark' ? 'light' : 'dark';
  return (
    <Button
      size="compact-sm"
      variant="default"
      aria-label={`Use ${other} colors`}
      onClick={() => setColorScheme(other)}
    >
      {current === 'dark' ? '☀' : '☾'}
    </Button>
  );
}
