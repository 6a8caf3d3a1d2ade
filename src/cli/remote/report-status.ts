import { type Status } from '@signalbox/client';
import { printable } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';

/** Notes on standard error that a client has connected, or lost its connection. */
export function reportStatus({ print }: RemoteTerminal, { state, error }: Status): void {
  if (state === 'connected') print('Connected.');
  if (state === 'waiting')
    print(printable(`Connection lost: ${error?.message ?? 'no answer'} Reconnecting …`));
}
