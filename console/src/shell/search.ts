import { type PageEntry } from './pages.ts';

/** A place that the search offers. */
export interface SearchTarget {
  readonly label: string;
  readonly path: readonly string[];
  readonly params?: Readonly<Record<string, string>>;
}

/** The places that a text may name, the likeliest first. Nothing is asked of the service. */
export function findTargets(text: string, pages: readonly PageEntry[]): SearchTarget[] {
  const titles = pages
    .filter(({ title }) => title.toLowerCase().includes(text.toLowerCase()))
    .map(({ title, path }) => ({ label: title, path: [path] }));
  if (text === '') return titles;
  const objects: SearchTarget[] = [];
  if (text.startsWith('token_')) objects.push({ label: `Token ${text}`, path: ['tokens', text] });
  else if (text.startsWith('conn_'))
    objects.push({ label: `Connection ${text}`, path: ['connections'], params: { search: text } });
  else {
    objects.push({ label: `Channel ${text}`, path: ['channels', text] });
    objects.push({ label: `Tokens of ${text}`, path: ['tokens'], params: { identity: text } });
    objects.push({ label: `Connections of ${text}`, path: ['connections'], params: { identity: text } });
  }
  const offered = objects.filter(({ path }) => pages.some((page) => page.path === path[0]));
  return [...titles, ...offered];
}
