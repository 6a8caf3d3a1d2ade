import { type ReactNode } from 'react';
import { Anchor } from '@mantine/core';
import { hrefTo } from '../routing/route.ts';

interface Properties {
  to: readonly string[];
  params?: Readonly<Record<string, string>>;
  children: ReactNode;
}

/** A link to another page of the console. */
export function PageLink({ to, params, children }: Properties) {
  return (
    <Anchor href={hrefTo(to, params)} inherit className="id">
      {children}
    </Anchor>
  );
}
