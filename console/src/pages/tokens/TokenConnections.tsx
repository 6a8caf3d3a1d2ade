import { type TokenDetailsFragment } from '../../generated/operations.ts';
import { DataTable } from '../../parts/DataTable.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { Section } from '../../parts/Section.tsx';
import { MEMBER_COLUMNS } from '../connections/member-columns.tsx';

/** The live connections of a token. */
export function TokenConnections({ token }: { token: TokenDetailsFragment }) {
  return (
    <Section title="Live connections">
      <DataTable
        label="Live connections"
        columns={MEMBER_COLUMNS}
        rows={token.connections}
        rowId={({ id }) => id}
        empty={
          <EmptyState title="Offline">
            {token.revokedAt === null
              ? 'Create a credential and open the test client to see a connection here.'
              : 'The token was revoked, so it can never connect again.'}
          </EmptyState>
        }
      />
    </Section>
  );
}
