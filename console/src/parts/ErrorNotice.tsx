import { Alert, Code } from '@mantine/core';
import { SignalboxError } from '@signalbox/client';

/** The sentence of an error with its code. Renders nothing without an error. */
export function ErrorNotice({ error }: { error: unknown }) {
  if (error === undefined || error === null) return null;
  const { code, message } = describe(error);
  return (
    <Alert color="red" role="alert">
      {message} <Code>{code}</Code>
    </Alert>
  );
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof SignalboxError) return error;
  return { code: 'CONSOLE', message: error instanceof Error ? error.message : 'The console failed.' };
}
