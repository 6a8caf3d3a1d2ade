import { Button, CopyButton as Copy } from '@mantine/core';

/** Copies a text, and confirms that on its label. */
export function CopyButton({ value, label }: { value: string; label: string }) {
  return (
    <Copy value={value} timeout={2_000}>
      {({ copied, copy }) => (
        <Button size="compact-sm" variant="default" onClick={copy}>
          {copied ? 'Copied' : label}
        </Button>
      )}
    </Copy>
  );
}
