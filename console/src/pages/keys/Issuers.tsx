import { Stack } from '@mantine/core';
import { IssuersDocument } from '../../generated/operations.ts';
import { useOperation } from '../../api/use-operation.ts';
import { EmptyState } from '../../parts/EmptyState.tsx';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { GraphqlPreview } from '../../parts/GraphqlPreview.tsx';
import { Section } from '../../parts/Section.tsx';
import { CreateIssuer } from './CreateIssuer.tsx';
import { IssuerCard } from './IssuerCard.tsx';
import { CheckCredential } from './CheckCredential.tsx';

/** Parties whose credentials the project accepts. */
export function Issuers() {
  const { data, error } = useOperation(IssuersDocument, {});
  const issuers = data?.project.issuers ?? [];
  return (
    <>
      <Section
        title="Issuers"
        about="Parties other than Signalbox that sign credentials which the project accepts."
        actions={<CreateIssuer />}
      >
        <ErrorNotice error={error} />
        {data && issuers.length === 0 && (
          <EmptyState title="No issuers">
            Add an issuer to accept the tokens of Stream, Twilio, OpenTok, an OpenID provider, or your own
            backend.
          </EmptyState>
        )}
        <Stack gap="md">
          {issuers.map((issuer) => (
            <IssuerCard key={issuer.id} issuer={issuer} />
          ))}
        </Stack>
        <GraphqlPreview document={IssuersDocument} variables={{}} />
      </Section>
      <CheckCredential issuers={issuers} />
    </>
  );
}
