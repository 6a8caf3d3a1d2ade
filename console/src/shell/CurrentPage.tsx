import { useEffect } from 'react';
import { EmptyState } from '../parts/EmptyState.tsx';
import { PageLink } from '../parts/PageLink.tsx';
import { useRoute } from '../routing/route.ts';
import { usePagesOfKey } from './use-pages-of-key.ts';

/** The page that the address names; without one, the first page of the API key. */
export function CurrentPage() {
  const { path } = useRoute();
  const pages = usePagesOfKey();
  const [name, id] = path;
  const entry = name === undefined ? pages[0] : pages.find((page) => page.path === name);
  const title = entry && (id === undefined ? entry.title : `${id} · ${entry.title}`);
  useEffect(() => {
    document.title = `${title ?? 'Not found'} · Signalbox`;
  }, [title]);
  if (!entry || (id !== undefined && !entry.Details))
    return (
      <EmptyState title="There is no such page">
        The address is wrong, or the API key does not have the scope for it.{' '}
        {pages[0] && <PageLink to={[pages[0].path]}>Go to {pages[0].title}</PageLink>}
      </EmptyState>
    );
  const { Page, Details } = entry;
  return id !== undefined && Details ? <Details id={id} /> : <Page />;
}
