import { useEffect, useReducer } from 'react';
import { Button, Collapse, Group, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { variablesNow, type VariablesSource } from '../operation.ts';
import { CopyButton } from './CopyButton.tsx';

interface Properties {
  document: string;
  variables: VariablesSource<object>;
}

/** How often variables that depend on the moment are shown anew. */
const RENDER_EVERY_MS = 10_000;

/** Shows the operation that a form or page sends, to copy. */
export function GraphqlPreview({ document, variables }: Properties) {
  const [isOpen, { toggle }] = useDisclosure(false);
  const [, render] = useReducer((count: number) => count + 1, 0);
  const isMoving = isOpen && typeof variables === 'function';
  useEffect(() => {
    if (!isMoving) return;
    const timer = setInterval(render, RENDER_EVERY_MS);
    return () => clearInterval(timer);
  }, [isMoving]);
  const values = JSON.stringify(variablesNow(variables), hideSecret, 2);
  return (
    <Stack gap="xs" className="graphql">
      <Group>
        <Button size="compact-sm" variant="subtle" aria-expanded={isOpen} onClick={toggle}>
          {isOpen ? 'Hide GraphQL' : 'Show GraphQL'}
        </Button>
      </Group>
      <Collapse in={isOpen}>
        {isOpen && (
          <Stack gap="xs">
            <CodeBlock label="Operation" text={document} />
            {values !== '{}' && <CodeBlock label="Variables" text={values} />}
            <Group gap="xs">
              <CopyButton label="Copy operation" value={document} />
              <CopyButton label="Copy variables" value={values} />
            </Group>
          </Stack>
        )}
      </Collapse>
    </Stack>
  );
}

/** The secret of an issuer stays behind the dots of its field. */
const hideSecret = (name: string, value: unknown): unknown =>
  name === 'secret' && value !== '' ? '…' : value;

/** A block of code that keyboards can scroll. */
export function CodeBlock({ label, text }: { label: string; text: string }) {
  return (
    <pre className="code" tabIndex={0} role="region" aria-label={label}>
      {text}
    </pre>
  );
}
