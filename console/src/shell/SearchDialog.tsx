import { useState } from 'react';
import { NavLink, Stack, TextInput } from '@mantine/core';
import { Dialog } from '../parts/Dialog.tsx';
import { hrefTo } from '../routing/route.ts';
import { findTargets } from './search.ts';
import { usePagesOfKey } from './use-pages-of-key.ts';

/** Opens an object by its id, the tokens of an identity, or a page by its title. Enter opens the first. */
export function SearchDialog({ onClose }: { onClose(): void }) {
  const [text, setText] = useState('');
  const targets = findTargets(text.trim(), usePagesOfKey());
  return (
    <Dialog title="Search" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const [first] = targets;
          if (!first) return;
          location.hash = hrefTo(first.path, first.params);
          onClose();
        }}
      >
        <Stack gap="xs">
          <TextInput
            label="An id, an identity or a page"
            placeholder="For example token_…, room:1, conn_… or ada"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            data-autofocus
          />
          {targets.map(({ label, path, params }) => (
            <NavLink key={label} href={hrefTo(path, params)} label={label} onClick={onClose} />
          ))}
        </Stack>
      </form>
    </Dialog>
  );
}
