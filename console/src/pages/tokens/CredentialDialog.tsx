import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { CodeBlock } from '../../parts/GraphqlPreview.tsx';
import { CopyButton } from '../../parts/CopyButton.tsx';
import { Dialog } from '../../parts/Dialog.tsx';
import { QrCode } from '../../parts/QrCode.tsx';
import { navigate } from '../../routing/route.ts';
import { openTestClient } from '../../test-client/open-test-client.ts';

interface Properties {
  token: string | undefined;
  credential: string;
  onClose(): void;
}

/** Shows a credential, which the service returns only once. */
export function CredentialDialog({ token, credential, onClose }: Properties) {
  return (
    <Dialog title="Credential" isWide isSticky onClose={onClose}>
      <Stack gap="sm">
        <Alert color="yellow">
          Every client that has the credential can act as this token. It is shown only once; you can create
          another one later.
        </Alert>
        <CodeBlock label="Credential" text={credential} />
        <Group gap="xs">
          <CopyButton label="Copy credential" value={credential} />
          <Button size="compact-sm" variant="filled" onClick={() => openTestClient(credential)}>
            Open test client
          </Button>
          {token !== undefined && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => {
                onClose();
                navigate(['tokens', token]);
              }}
            >
              Go to the token
            </Button>
          )}
        </Group>
        <QrCode text={credential} label="The credential as a QR code" />
        <Text size="sm" c="dimmed">
          A client connects with {'createClient({ url, credential })'} of @signalbox/client.
        </Text>
      </Stack>
    </Dialog>
  );
}
