import { useSyncExternalStore } from 'react';
import { Tag } from '../parts/Tag.tsx';
import { useSession } from '../client/session-context.ts';

/** Whether the console is connected; after a cut it reconnects by itself. */
export function ConnectionState() {
  const { client } = useSession();
  const { state, message } = useSyncExternalStore(
    (listener) => client.on('status', listener),
    () => client.status,
  );
  const isConnected = state === 'connected' || state === 'renewing';
  return (
    <span role="status" title={message}>
      <Tag tone={isConnected ? 'good' : 'warn'}>{isConnected ? 'live' : 'offline'}</Tag>
    </span>
  );
}
