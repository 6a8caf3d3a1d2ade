import { useSession } from '../client/session-context.ts';
import { maySee } from '../client/session.ts';
import { PAGES, type PageEntry } from './pages.ts';

/** The pages that the scopes and the channels of the API key leave. */
export function usePagesOfKey(): readonly PageEntry[] {
  const { apiKey } = useSession();
  return PAGES.filter(
    ({ scopes, isProjectWide }) =>
      scopes.some((scope) => maySee(apiKey, scope)) && !(isProjectWide && apiKey.channels !== null),
  );
}
