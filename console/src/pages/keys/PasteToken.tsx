import { useState, type FormEvent } from 'react';
import { Alert, Button, Stack, Textarea } from '@mantine/core';
import { type IssuerDetailsFragment } from '../../generated/operations.ts';
import { JsonView } from '../../parts/JsonView.tsx';
import { Section } from '../../parts/Section.tsx';
import { inspectCredential, type Inspection } from './inspect-credential.ts';

/** Reads a credential in the page, without sending it, and says which issuer it would need. */
export function PasteToken({ issuers }: { issuers: readonly IssuerDetailsFragment[] }) {
  const [found, setFound] = useState<Inspection>();
  function inspect(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const text = new FormData(event.currentTarget).get('credential');
    setFound(inspectCredential(typeof text === 'string' ? text.trim() : '', issuers));
  }
  return (
    <Section
      title="Paste a token"
      about="Says what would happen to a credential of an issuer, and why. It stays in this page; its signature is not checked."
    >
      <form onSubmit={inspect}>
        <Stack gap="sm">
          <Textarea
            name="credential"
            label="Credential"
            autosize
            minRows={2}
            maxRows={6}
            spellCheck={false}
            autoComplete="off"
          />
          <Button type="submit" variant="default" w="fit-content">
            Check
          </Button>
          {found && (
            <>
              {found.findings.map(({ isGood, text }) => (
                <Alert key={text} color={isGood ? 'green' : 'yellow'}>
                  {text}
                </Alert>
              ))}
              {found.claims !== undefined && <JsonView label="Header and claims" value={found.claims} />}
            </>
          )}
        </Stack>
      </form>
    </Section>
  );
}
