import { useState } from 'react';
import { TextInput } from '@mantine/core';
import { ChannelTokensDocument, SubscribeTokenDocument } from '../../generated/operations.ts';
import { usePages } from '../../api/use-pages.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { PagedTable } from '../../parts/PagedTable.tsx';
import { Section } from '../../parts/Section.tsx';
import { TOKEN_COLUMNS } from '../tokens/token-columns.tsx';

/** The tokens with a membership, online or offline. */
export function ChannelTokens({ id }: { id: string }) {
  const [token, setToken] = useState('');
  const pages = usePages(ChannelTokensDocument, { id }, ({ channel }) => channel?.tokens);
  return (
    <Section
      title="Subscribed tokens"
      about="Memberships, online or offline."
      actions={
        <ActionButton
          label="Subscribe a token"
          scope="CHANNELS"
          operation={SubscribeTokenDocument}
          variables={{ channel: id, token: token.trim() }}
          submit="Subscribe"
          onDone={() => setToken('')}
        >
          <TextInput
            label="Token"
            description="The id of a token, which is on its page. An identity may have several."
            placeholder="token_…"
            required
            withAsterisk={false}
            value={token}
            onChange={(event) => setToken(event.currentTarget.value)}
          />
        </ActionButton>
      }
    >
      <PagedTable
        label="Subscribed tokens"
        columns={TOKEN_COLUMNS}
        pages={pages}
        rowId={(row) => row.id}
        empty={
          <EmptyState title="No tokens">
            Subscribe a token: its connections receive every later message.
          </EmptyState>
        }
      />
    </Section>
  );
}
