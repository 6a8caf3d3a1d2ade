import { useEffect, useState } from 'react';
import { CREDENTIAL, READY } from './open-test-client.ts';

/** The credential that the console hands to this window; undefined until then. */
export function useCredential(): string | undefined {
  const [credential, setCredential] = useState<string>();
  useEffect(() => {
    function receive({ source, origin, data }: MessageEvent<unknown>): void {
      if (source !== window.opener || origin !== location.origin || !isOffer(data)) return;
      setCredential(data.credential);
    }
    addEventListener('message', receive);
    (window.opener as Window | null)?.postMessage(READY, location.origin);
    return () => removeEventListener('message', receive);
  }, []);
  return credential;
}

function isOffer(data: unknown): data is { credential: string } {
  if (typeof data !== 'object' || data === null) return false;
  const { type, credential } = data as Record<string, unknown>;
  return type === CREDENTIAL && typeof credential === 'string';
}
