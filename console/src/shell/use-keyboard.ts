import { useHotkeys } from '@mantine/hooks';

/** The shortcuts of every page. They do nothing while somebody types in a field. */
export function useKeyboard({ onSearch, onHelp }: { onSearch(): void; onHelp(): void }): void {
  useHotkeys([
    ['/', onSearch],
    ['shift+?', onHelp],
    ['?', onHelp],
  ]);
}
