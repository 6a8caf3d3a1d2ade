import { Alert, Stack } from '@mantine/core';
import { CodeBlock } from './GraphqlPreview.tsx';
import { CopyButton } from './CopyButton.tsx';
import { Dialog } from './Dialog.tsx';

/** Shows the secret of an API key, which the service returns only once. */
export function SecretDialog({ secret, onClose }: { secret: string; onClose(): void }) {
  return (
    <Dialog title="API key" isWide isSticky onClose={onClose}>
      <Stack gap="sm">
        <Alert color="yellow">Copy the key now: it is never shown again.</Alert>
        <CodeBlock label="API key" text={secret} />
        <div>
          <CopyButton label="Copy key" value={secret} />
        </div>
      </Stack>
    </Dialog>
  );
}
