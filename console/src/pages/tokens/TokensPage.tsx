import { Group, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { TokensDocument } from '../../generated/operations.ts';
import { usePages } from '../../api/use-pages.ts';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { PagedTable } from '../../parts/PagedTable.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { replaceParam, useRoute } from '../../routing/route.ts';
import { useScope } from '../../client/session-context.ts';
import { CreateToken } from './CreateToken.tsx';
import { TOKEN_COLUMNS } from './token-columns.tsx';

const REFRESH_SECONDS = 10;

/** Finds and creates tokens. */
export function TokensPage() {
  const { params } = useRoute();
  const identity = params.get('identity') ?? '';
  const online = params.get('online') ?? '';
  const [settled] = useDebouncedValue(identity, 250);
  const variables = {
    ...(settled !== '' && { identity: settled }),
    ...(online !== '' && { online: online === 'true' }),
  };
  const pages = usePages(TokensDocument, variables, ({ tokens }) => tokens, REFRESH_SECONDS);
  const mayCreate = useScope('TOKENS');
  return (
    <>
      <PageHeader
        title="Tokens"
        about="A token is what one client may do. Its credential opens the connection."
      >
        <CreateToken />
      </PageHeader>
      <Stack gap="sm">
        <Group gap="sm" align="flex-end" className="filters">
          <TextInput
            label="Identity"
            placeholder="all"
            value={identity}
            onChange={(event) => replaceParam('identity', event.currentTarget.value)}
          />
          <NativeSelect
            label="Connected"
            value={online}
            onChange={(event) => replaceParam('online', event.currentTarget.value)}
            data={[
              { value: '', label: 'All' },
              { value: 'true', label: 'Online' },
              { value: 'false', label: 'Offline' },
            ]}
          />
        </Group>
        <PagedTable
          label="Tokens"
          columns={TOKEN_COLUMNS}
          pages={pages}
          rowId={({ id }) => id}
          empty={
            <EmptyState title="No tokens">
              {identity !== '' || online !== ''
                ? 'No token matches the filter.'
                : mayCreate
                  ? 'Create a token, then open the test client with its credential.'
                  : 'A backend creates tokens with createToken.'}
            </EmptyState>
          }
        />
        <GraphqlPreview document={TokensDocument} variables={variables} />
      </Stack>
    </>
  );
}
