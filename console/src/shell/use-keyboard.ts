import { useHotkeys } from '@mantine/hooks';

/** The shortcuts of every page. They do nothing while an input field has the focus. */
export function useKeyboard({ onSearch, onHelp }: { onSearch(): void; onHelp(): void }): void {
  useHotkeys([
    ['/', onSearch],
    ['shift+?', onHelp],
    ['?', onHelp],
  ]);
}
