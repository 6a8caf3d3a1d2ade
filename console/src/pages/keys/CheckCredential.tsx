import { useState, type FormEvent } from 'react';
import { Alert, Button, Stack, Textarea } from '@mantine/core';
import { type IssuerDetailsFragment } from '../../generated/operations.ts';
import { JsonView } from '../../parts/JsonView.tsx';
import { Section } from '../../parts/Section.tsx';
import { TryCredential } from './TryCredential.tsx';
import { inspectCredential, type Inspection } from './inspect-credential.ts';

/** Reads a credential in the page, without sending it, and says which issuer it would need. */
export function CheckCredential({ issuers }: { issuers: readonly IssuerDetailsFragment[] }) {
  const [found, setFound] = useState<Inspection & { credential: string }>();
  function inspect(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const text = new FormData(event.currentTarget).get('credential');
    const credential = typeof text === 'string' ? text.trim() : '';
    setFound({ credential, ...inspectCredential(credential, issuers) });
  }
  return (
    <Section
      title="Check a credential"
      about="Says what would happen to a credential, and why. “Check” reads it in this page. “Connect with it once” lets the service check the signature and all the rest; as at every first use, the token of a new user is created."
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
              {found.mayBeSent && <TryCredential key={found.credential} credential={found.credential} />}
              {found.claims !== undefined && <JsonView label="Header and claims" value={found.claims} />}
            </>
          )}
        </Stack>
      </form>
    </Section>
  );
}
