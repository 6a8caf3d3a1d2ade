import { NativeSelect, TagsInput, TextInput } from '@mantine/core';
import { GrantsField } from '../../fields/GrantsField.tsx';
import { JsonField } from '../../fields/JsonField.tsx';
import { LIFETIMES } from '../../fields/lifetime.ts';
import { RoleField } from '../../fields/RoleField.tsx';
import { TimeField } from '../../fields/TimeField.tsx';
import { ChannelsDocument } from '../../generated/operations.ts';
import { useOperation } from '../../api/use-operation.ts';
import { type TokenDraft } from './token-draft.ts';

/** Every option of a new token. */
export function TokenFields({ draft, onChange }: { draft: TokenDraft; onChange(draft: TokenDraft): void }) {
  const change = (part: Partial<TokenDraft>) => onChange({ ...draft, ...part });
  const { data } = useOperation(ChannelsDocument, {});
  return (
    <>
      <TextInput
        label="Identity"
        description="The user that the token belongs to. Optional. An e-mail address needs a setting on the page “Project”."
        value={draft.identity}
        data-autofocus
        onChange={(event) => change({ identity: event.currentTarget.value })}
      />
      <RoleField value={draft.role} onChange={(role) => change({ role })} />
      <TagsInput
        label="Channels"
        description="Channels to subscribe the token to: press Enter after each id."
        value={[...draft.channels]}
        onChange={(channels) => change({ channels })}
        data={data?.channels.nodes.map(({ id }) => id) ?? []}
        acceptValueOnBlur
      />
      <NativeSelect
        label="Lifetime"
        description="The default is without end, unless the page “Project” sets another."
        value={draft.lifetime}
        onChange={(event) => change({ lifetime: event.currentTarget.value, expiresAt: null })}
        data={LIFETIMES}
      />
      <TimeField
        label="Expires at, instead of a lifetime"
        value={draft.expiresAt}
        onChange={(expiresAt) => change({ expiresAt, lifetime: '' })}
      />
      <GrantsField grants={draft.grants} onChange={(grants) => change({ grants })} />
      <TextInput
        label="Connection data"
        description="Text about the token that other clients see."
        value={draft.connectionData}
        onChange={(event) => change({ connectionData: event.currentTarget.value })}
      />
      <JsonField
        label="State"
        description="JSON that the backend and the token itself can read."
        rows={2}
        text={draft.state}
        onChange={(state) => change({ state })}
      />
    </>
  );
}
