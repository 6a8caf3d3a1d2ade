import { hrefTo } from '../routing/route.ts';

/** The messages between the console and the test client in the other window. */
export const READY = 'signalbox:test-client-ready';
export const CREDENTIAL = 'signalbox:test-client-credential';

/**
 * Opens the test client in another window, and hands it the credential once it asks: a credential in the address would be
 * in the history of the browser.
 */
export function openTestClient(credential: string): void {
  const client = window.open(`${location.pathname}${hrefTo(['test-client'])}`, '_blank');
  if (!client) return;
  function answer({ source, origin, data }: MessageEvent<unknown>): void {
    if (source !== client || origin !== location.origin || data !== READY) return;
    removeEventListener('message', answer);
    client?.postMessage({ type: CREDENTIAL, credential }, location.origin);
  }
  addEventListener('message', answer);
}
