import { Kbd, List, Stack, Text } from '@mantine/core';
import { Dialog } from '../parts/Dialog.tsx';
import { useSession } from '../client/session-context.ts';

/** The shortcuts, and what the API key may do. */
export function HelpDialog({ onClose }: { onClose(): void }) {
  const { apiKey } = useSession();
  return (
    <Dialog title="Help" onClose={onClose}>
      <Stack gap="sm">
        <List spacing={4} size="sm">
          <List.Item>
            <Kbd>/</Kbd> opens the search: an id of a token, channel or connection, or an identity.
          </List.Item>
          <List.Item>
            <Kbd>?</Kbd> opens this page, <Kbd>Esc</Kbd> closes a dialog.
          </List.Item>
          <List.Item>
            <Kbd>Tab</Kbd> reaches every button and every table; the arrow keys scroll a table.
          </List.Item>
        </List>
        <Text size="sm">
          {apiKey.scopes === null
            ? 'This API key may do everything in its project.'
            : `This API key has the scopes ${apiKey.scopes.join(', ')}. What it may not do is not shown.`}
          {apiKey.channels !== null && ` It is limited to the channels ${apiKey.channels}.`}
        </Text>
        <Text size="sm">
          “Show GraphQL” in a form shows the operation that it sends, with its variables, for your own code.
        </Text>
      </Stack>
    </Dialog>
  );
}
