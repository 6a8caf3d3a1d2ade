import { createContext, useContext } from 'react';
import { type ApiKeyScope } from '../generated/operations.ts';
import { maySee, type Session } from './session.ts';

export interface SessionContextValue extends Session {
  /** Forgets the API key; `reason` is shown on the page that asks for it again. */
  leave(reason?: string): void;
}

export const SessionContext = createContext<SessionContextValue | undefined>(undefined);

/** The session of the signed-in operator. */
export function useSession(): SessionContextValue {
  const session = useContext(SessionContext);
  if (!session) throw new Error('useSession is used outside a SessionProvider.');
  return session;
}

/** Whether the API key has a scope. Without a scope to ask for: true. */
export function useScope(scope: ApiKeyScope | undefined): boolean {
  const { apiKey } = useSession();
  return scope === undefined || maySee(apiKey, scope);
}
