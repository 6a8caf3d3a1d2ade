import { type FormEvent, type ReactNode } from 'react';
import { Alert, Button, Group, Stack } from '@mantine/core';
import { type Operation } from '../operation.ts';
import { useAction } from '../api/use-action.ts';
import { ErrorNotice } from './ErrorNotice.tsx';
import { GraphqlPreview } from './GraphqlPreview.tsx';

export interface ActionFormProperties<Result, Variables> {
  operation: Operation<Result, Variables>;
  /** The content of the fields. */
  variables: Variables;
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
  const { operation, variables, problem, submit, isDangerous = false, onDone, children } = properties;
  const action = useAction(operation);
  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    // A form in a dialog is, for React, a child of the form behind it.
    event.stopPropagation();
    const result = await action.run(variables);
    if (result !== undefined) onDone?.(result, variables);
  }
  return (
    <form onSubmit={(event) => void send(event)}>
      <Stack gap="sm">
        {children}
        {problem !== undefined && <Alert color="gray">{problem}</Alert>}
        <ErrorNotice error={action.error} />
        <Group justify="space-between" align="flex-start">
          <Button
            type="submit"
            loading={action.isBusy}
            disabled={problem !== undefined}
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
