import { type ReactNode } from 'react';
import { Modal } from '@mantine/core';

interface Properties {
  title: string;
  isOpen?: boolean;
  isWide?: boolean;
  /** Whether a click beside it leaves it open, because what it shows is shown once. */
  isSticky?: boolean;
  onClose(): void;
  children: ReactNode;
}

/** A dialog that Escape closes and that keeps the focus. */
export function Dialog({
  title,
  isOpen = true,
  isWide = false,
  isSticky = false,
  onClose,
  children,
}: Properties) {
  return (
    <Modal.Root opened={isOpen} onClose={onClose} size={isWide ? 'lg' : 'md'} closeOnClickOutside={!isSticky}>
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
