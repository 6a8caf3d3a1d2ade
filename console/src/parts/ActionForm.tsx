import { useRef, type FormEvent, type ReactNode } from 'react';
import { Alert, Button, Group, Stack } from '@mantine/core';
import { variablesNow, type Operation, type VariablesSource } from '../operation.ts';
import { useAction } from '../api/use-action.ts';
import { type Basis } from '../api/use-edits.ts';
import { ErrorNotice } from './ErrorNotice.tsx';
import { GraphqlPreview } from './GraphqlPreview.tsx';

export interface ActionFormProperties<Result, Variables> {
  operation: Operation<Result, Variables>;
  /** The content of the fields; a function where it depends on the moment at which the form is sent. */
  variables: VariablesSource<Variables>;
  /** The stored values that the form replaces: it is not sent while others have changed them. */
  basis?: Basis;
  /** Why the form cannot be sent yet, for example malformed JSON. */
  problem?: string | undefined;
  /** The label of the button that sends. */
  submit: string;
  isDangerous?: boolean;
  onDone?: ((result: Result, variables: Variables) => void) | undefined;
  /** The fields. */
  children?: ReactNode;
}

/** A form that sends one mutation: its fields, its GraphQL, its error and its button. */
export function ActionForm<Result, Variables extends object>(
  properties: ActionFormProperties<Result, Variables>,
) {
  const { operation, variables, basis, problem, submit, isDangerous = false, onDone, children } = properties;
  const action = useAction(operation);
  const form = useRef<HTMLFormElement>(null);
  function load(): void {
    basis?.load();
    // The button goes, and the focus with it.
    form.current?.focus();
  }
  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    // A form in a dialog is, for React, a child of the form behind it.
    event.stopPropagation();
    const sent = variablesNow(variables);
    const result = await action.run(sent, basis?.check);
    if (result !== undefined) onDone?.(result, sent);
  }
  return (
    <form ref={form} tabIndex={-1} onSubmit={(event) => void send(event)}>
      <Stack gap="sm">
        {children}
        {basis?.isOutdated && (
          <Alert color="yellow">
            <Stack gap="xs" align="flex-start">
              The stored values were changed meanwhile. Saving is refused, because it would take that change
              back. Load them to begin with the new values.
              <Button size="compact-sm" variant="default" onClick={load}>
                Load the stored values
              </Button>
            </Stack>
          </Alert>
        )}
        {problem !== undefined && <Alert color="gray">{problem}</Alert>}
        <ErrorNotice error={action.error} />
        <Group justify="space-between" align="flex-start">
          <Button
            type="submit"
            loading={action.isBusy}
            disabled={problem !== undefined || basis?.isOutdated === true}
            {...(isDangerous && { color: 'red' })}
          >
            {submit}
          </Button>
        </Group>
        <GraphqlPreview document={operation} variables={variables} />
      </Stack>
    </form>
  );
}
