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
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
