import { Loader, Stack } from '@mantine/core';
import { TokenDetailsDocument } from '../../generated/operations.ts';
import { useOperation } from '../../api/use-operation.ts';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { ActivityTail } from '../activity/ActivityTail.tsx';
import { TokenActions } from './TokenActions.tsx';
import { TokenConnections } from './TokenConnections.tsx';
import { TokenDetails } from './TokenDetails.tsx';
import { TokenMemberships } from './TokenMemberships.tsx';
import { TokenPermissions } from './TokenPermissions.tsx';
import { TokenRestrictions } from './TokenRestrictions.tsx';

const REFRESH_SECONDS = 3;

/** One token: its record, and everything that can be done with it. */
export function TokenPage({ id }: { id: string }) {
  const { data, error } = useOperation(TokenDetailsDocument, { id }, { every: REFRESH_SECONDS });
  const token = data?.token;
  return (
    <>
      <PageHeader title={token?.identity ?? 'Token'} about={id}>
        {token && <TokenActions token={token} />}
      </PageHeader>
      <ErrorNotice error={error} />
      {!token && !error && <Loader aria-label="Loading" />}
      {token && (
        <Stack gap="md">
          <TokenDetails token={token} />
          <TokenMemberships id={id} isRevoked={token.revokedAt !== null} />
          <TokenConnections token={token} />
          <TokenPermissions id={id} />
          <TokenRestrictions id={id} />
          <ActivityTail filter={{ token: id }} />
          <GraphqlPreview document={TokenDetailsDocument} variables={{ id }} />
        </Stack>
      )}
    </>
  );
}
