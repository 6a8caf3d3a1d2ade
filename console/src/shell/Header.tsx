import { Burger, Button, Group, Text } from '@mantine/core';
import { useSession } from '../client/session-context.ts';
import { ColorSchemeButton } from './ColorSchemeButton.tsx';
import { ConnectionState } from './ConnectionState.tsx';

interface Properties {
  isMenuOpen: boolean;
  onMenu(): void;
  onSearch(): void;
  onHelp(): void;
}

/** Whose key is in use, the state of the connection, and the buttons that are on every page. */
export function Header({ isMenuOpen, onMenu, onSearch, onHelp }: Properties) {
  const { project, apiKey, leave } = useSession();
  const scopes = apiKey.scopes?.join(', ') ?? 'all scopes';
  return (
    <Group h="100%" px="sm" gap="sm" wrap="nowrap" justify="space-between">
      <Group gap="sm" wrap="nowrap" className="header-left">
        <Burger
          opened={isMenuOpen}
          onClick={onMenu}
          hiddenFrom="sm"
          size="sm"
          aria-label="Pages"
          aria-expanded={isMenuOpen}
        />
        <Text fw={700} visibleFrom="sm">
          Signalbox
        </Text>
        <Text size="sm" truncate title={`${apiKey.name} (${scopes})`}>
          {project}
          <Text span c="dimmed" visibleFrom="md">{` · ${apiKey.name} · ${scopes}`}</Text>
        </Text>
        <ConnectionState />
      </Group>
      <Group gap={6} wrap="nowrap">
        <Button size="compact-sm" variant="default" onClick={onSearch} aria-keyshortcuts="/">
          Search
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          onClick={onHelp}
          aria-label="Help"
          aria-keyshortcuts="?"
          visibleFrom="sm"
        >
          ?
        </Button>
        <ColorSchemeButton />
        <Button size="compact-sm" variant="default" onClick={() => leave()}>
          Sign out
        </Button>
      </Group>
    </Group>
  );
}
