import { TokenRestrictionsDocument } from '../../generated/operations.ts';
import { useOperation } from '../../api/use-operation.ts';
import { DataTable } from '../../parts/DataTable.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { Section } from '../../parts/Section.tsx';
import { RESTRICTION_COLUMNS } from '../moderation/restriction-columns.tsx';

/** The mutes and bans of a token. */
export function TokenRestrictions({ id }: { id: string }) {
  const { data, error } = useOperation(TokenRestrictionsDocument, { token: id });
  return (
    <Section title="Mutes and bans">
      <ErrorNotice error={error} />
      {data && (
        <DataTable
          label="Mutes and bans"
          columns={RESTRICTION_COLUMNS}
          rows={data.restrictions.nodes}
          rowId={(row) => row.id}
          empty={
            <EmptyState title="None">Mute or ban takes actions away; each can be lifted again.</EmptyState>
          }
        />
      )}
    </Section>
  );
}
