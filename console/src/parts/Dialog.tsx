import { useEffect, useState, type ReactNode } from 'react';
import { Modal } from '@mantine/core';

interface Properties {
  title: string;
  isWide?: boolean;
  /** Whether a click beside it leaves it open, because what it shows is shown once. */
  isSticky?: boolean;
  onClose(): void;
  children: ReactNode;
}

/** Lets the dialog open in its first field; without a field, its first button has the focus. */
function focusFirstField(body: HTMLDivElement | null): void {
  if (body?.querySelector('[data-autofocus]')) return;
  body?.querySelector('input, select, textarea')?.setAttribute('data-autofocus', '');
}

/** A dialog, open while it is mounted. Escape closes it; it keeps the focus, and gives it back to what opened it. */
export function Dialog({ title, isWide = false, isSticky = false, onClose, children }: Properties) {
  const [opener] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      if (opener instanceof HTMLElement) opener.focus();
    },
    [opener],
  );
  return (
    <Modal.Root
      opened
      returnFocus={false}
      onClose={onClose}
      size={isWide ? 'lg' : 'md'}
      closeOnClickOutside={!isSticky}
    >
      <Modal.Overlay />
      <Modal.Content>
        {/* The header of a dialog is no banner of the page. */}
        <Modal.Header role="presentation">
          <Modal.Title>{title}</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </Modal.Header>
        <Modal.Body ref={focusFirstField}>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
