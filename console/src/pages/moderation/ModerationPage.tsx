import { Stack } from '@mantine/core';
import { RestrictionsDocument } from '../../generated/operations.ts';
import { usePages } from '../../api/use-pages.ts';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { PagedTable } from '../../parts/PagedTable.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { Section } from '../../parts/Section.tsx';
import { useSession } from '../../client/session-context.ts';
import { Disconnect } from '../connections/Disconnect.tsx';
import { RESTRICTION_COLUMNS } from './restriction-columns.tsx';
import { Restrict } from './Restrict.tsx';
import { Revocations } from './Revocations.tsx';

const REFRESH_SECONDS = 10;

/** Mutes, bans, disconnects, and revocations of many tokens. */
export function ModerationPage() {
  const { apiKey } = useSession();
  const pages = usePages(RestrictionsDocument, {}, ({ restrictions }) => restrictions, REFRESH_SECONDS);
  return (
    <>
      <PageHeader
        title="Moderation"
        about="What was taken away from tokens and identities, and how to give it back."
      >
        <Restrict />
        <Disconnect />
      </PageHeader>
      <Stack gap="md">
        <Section
          title="Mutes and bans"
          about="They apply to live connections at once, and to later ones as well."
        >
          <PagedTable
            label="Mutes and bans"
            columns={RESTRICTION_COLUMNS}
            pages={pages}
            rowId={({ id }) => id}
            empty={
              <EmptyState title="No mutes or bans">
                A mute takes PUBLISH away, a ban takes a whole channel away. Neither ends the token.
              </EmptyState>
            }
          />
          <GraphqlPreview document={RestrictionsDocument} variables={{}} />
        </Section>
        {apiKey.channels === null && <Revocations />}
      </Stack>
    </>
  );
}
