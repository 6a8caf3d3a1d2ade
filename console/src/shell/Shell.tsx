import { AppShell } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useRoute } from '../routing/route.ts';
import { CurrentPage } from './CurrentPage.tsx';
import { Header } from './Header.tsx';
import { HelpDialog } from './HelpDialog.tsx';
import { Navigation } from './Navigation.tsx';
import { SearchDialog } from './SearchDialog.tsx';
import { useKeyboard } from './use-keyboard.ts';

/** The frame of every page: header, navigation, search and help. */
export function Shell() {
  const { path } = useRoute();
  const [isMenuOpen, menu] = useDisclosure(false);
  const [isSearchOpen, search] = useDisclosure(false);
  const [isHelpOpen, help] = useDisclosure(false);
  useKeyboard({ onSearch: search.open, onHelp: help.open });
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 210, breakpoint: 'sm', collapsed: { mobile: !isMenuOpen } }}
      padding="md"
      // A transition would make the page wider than a phone screen for 200 ms after a rotation, even with prefers-reduced-motion.
      transitionDuration={0}
    >
      <AppShell.Header>
        <Header isMenuOpen={isMenuOpen} onMenu={menu.toggle} onSearch={search.open} onHelp={help.open} />
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        <Navigation onNavigate={menu.close} />
      </AppShell.Navbar>
      <AppShell.Main>
        {/* Another object is another page: its forms begin empty. */}
        <CurrentPage key={path.join('/')} />
      </AppShell.Main>
      {isSearchOpen && <SearchDialog onClose={search.close} />}
      {isHelpOpen && <HelpDialog onClose={help.close} />}
    </AppShell>
  );
}
