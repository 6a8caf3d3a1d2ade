import { Button, type ButtonProps } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type ApiKeyScope } from '../generated/operations.ts';
import { useScope } from '../client/session-context.ts';
import { ActionForm, type ActionFormProperties } from './ActionForm.tsx';
import { Dialog } from './Dialog.tsx';

interface Properties<Result, Variables> extends ActionFormProperties<Result, Variables> {
  label: string;
  /** Without this scope of the API key, the button is not shown. */
  scope: ApiKeyScope;
  /** Whether the dialog stays open for its result, and for another one. */
  staysOpen?: boolean;
  /** The title of the dialog; the label when absent. */
  title?: string;
  size?: ButtonProps['size'];
  variant?: ButtonProps['variant'];
  /** The name for screen readers, where several buttons have the same label: “Disconnect conn_1”. */
  accessibleName?: string;
  /** Called before the dialog opens: the moment to fill the fields with what is stored now. */
  onOpen?: () => void;
}

/** A button that opens a dialog with the form of one mutation. */
export function ActionButton<Result, Variables extends object>(properties: Properties<Result, Variables>) {
  const {
    label,
    scope,
    title = label,
    size = 'sm',
    variant,
    accessibleName,
    staysOpen,
    onOpen,
    onDone,
    ...form
  } = properties;
  const [isOpen, { open, close }] = useDisclosure(false);
  if (!useScope(scope)) return null;
  const look = variant ?? 'default';
  const show = () => {
    onOpen?.();
    open();
  };
  return (
    <>
      <Button size={size} variant={look} onClick={show} aria-haspopup="dialog" aria-label={accessibleName}>
        {label}
      </Button>
      {isOpen && (
        <Dialog isWide title={title} onClose={close}>
          <ActionForm
            {...form}
            onDone={(result, variables) => {
              if (!staysOpen) close();
              onDone?.(result, variables);
            }}
          />
        </Dialog>
      )}
    </>
  );
}
