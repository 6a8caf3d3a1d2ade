import { createColumnHelper, type ColumnDef } from '@tanstack/react-table';
import {
  RestoreTokensDocument,
  RevocationsDocument,
  type RevocationsQuery,
} from '../../generated/operations.ts';
import { usePages } from '../../api/use-pages.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { PagedTable } from '../../parts/PagedTable.tsx';
import { Section } from '../../parts/Section.tsx';
import { Time } from '../../parts/Time.tsx';
import { RevokeMany } from './RevokeMany.tsx';

type Revocation = RevocationsQuery['revocations']['nodes'][number];

const column = createColumnHelper<Revocation>();
const COLUMNS = [
  column.accessor('scope', { header: 'Scope' }),
  column.accessor(({ identity, issuer }) => identity ?? issuer ?? 'all tokens', {
    id: 'whose',
    header: 'Whose',
  }),
  column.accessor('issuedBefore', {
    header: 'Issued before',
    cell: ({ getValue }) => <Time at={getValue()} />,
  }),
  column.display({
    id: 'actions',
    header: 'Actions',
    cell: ({ row }) => <Restore revocation={row.original} />,
  }),
] as ColumnDef<Revocation>[];

/** Revocations of many credentials at once, which can be undone. */
export function Revocations() {
  const pages = usePages(RevocationsDocument, {}, ({ revocations }) => revocations);
  return (
    <Section
      title="Revocations"
      about="Credentials that were issued before a moment are refused, for an identity, an issuer or the whole project."
      actions={<RevokeMany />}
    >
      <PagedTable
        label="Revocations"
        columns={COLUMNS}
        pages={pages}
        rowId={({ scope, identity, issuer }) => `${scope} ${identity ?? ''} ${issuer ?? ''}`}
        empty={
          <EmptyState title="No revocations">
            After a leak, revoke every credential of an identity or an issuer here.
          </EmptyState>
        }
      />
    </Section>
  );
}

/** Undoes a revocation. */
function Restore({ revocation: { identity, issuer } }: { revocation: Revocation }) {
  const whose = identity !== null ? { identity } : issuer !== null ? { issuer } : { all: true };
  return (
    <ActionButton
      label="Undo"
      accessibleName={`Undo the revocation of ${identity ?? issuer ?? 'all tokens'}`}
      size="compact-sm"
      scope="TOKENS"
      operation={RestoreTokensDocument}
      variables={whose}
      submit="Accept the credentials again"
    />
  );
}
