import { NavLink } from '@mantine/core';
import { hrefTo, useRoute } from '../routing/route.ts';
import { usePagesOfKey } from './use-pages-of-key.ts';

/** Links to the pages of the API key. */
export function Navigation({ onNavigate }: { onNavigate(): void }) {
  const { path } = useRoute();
  const pages = usePagesOfKey();
  const current = path[0] ?? pages[0]?.path;
  return (
    <>
      {pages.map((page) => (
        <NavLink
          key={page.path}
          href={hrefTo([page.path])}
          label={page.title}
          active={page.path === current}
          {...(page.path === current && { 'aria-current': 'page' as const })}
          onClick={onNavigate}
        />
      ))}
    </>
  );
}
