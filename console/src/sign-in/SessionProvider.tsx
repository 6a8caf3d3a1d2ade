import { useEffect, useMemo, useState, type ReactNode } from 'react';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { SessionContext } from '../client/session-context.ts';
import { type Session } from '../client/session.ts';

interface Properties {
  session: Session;
  onLeave(reason?: string): void;
  children: ReactNode;
}

/** Gives the pages their session and a cache of their own, which ends with the session. */
export function SessionProvider({ session, onLeave, children }: Properties) {
  const [queries] = useState(createQueryClient);
  useEffect(
    () =>
      session.client.on('status', ({ state, reason, message }) => {
        if (state === 'ended' && reason !== 'closed') onLeave(message);
      }),
    [session, onLeave],
  );
  const value = useMemo(() => ({ ...session, leave: onLeave }), [session, onLeave]);
  return (
    <SessionContext.Provider value={value}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </SessionContext.Provider>
  );
}

/** The client of the SDK waits and reconnects by itself, so a failed query is not repeated. */
function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: { queries: { retry: false, networkMode: 'always', staleTime: 1_000 } },
  });
}
