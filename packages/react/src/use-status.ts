import { useCallback, useSyncExternalStore } from 'react';
import { type Status } from '@signalbox/client';
import { useSignalbox } from './provider.ts';

const IDLE: Status = { state: 'idle', message: 'Not connected yet.' };

/** The state of the connection, with one sentence for people. */
export function useStatus(): Status {
  const client = useSignalbox();
  const subscribe = useCallback((listener: () => void) => client.on('status', listener), [client]);
  return useSyncExternalStore(
    subscribe,
    () => client.status,
    () => IDLE,
  );
}
