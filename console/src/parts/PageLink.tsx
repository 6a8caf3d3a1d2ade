import { type ReactNode } from 'react';
import { hrefTo } from '../routing/route.ts';

interface Properties {
  to: readonly string[];
  params?: Readonly<Record<string, string>>;
  children: ReactNode;
}

/** A link to another page of the console. */
export function PageLink({ to, params, children }: Properties) {
  return (
    <a href={hrefTo(to, params)} className="id">
      {children}
    </a>
  );
}
