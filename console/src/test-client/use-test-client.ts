import { useEffect, useState } from 'react';
import { createClient, type Status } from '@signalbox/client';
import { TestClientDocument, type TestClientSubscription } from '../generated/operations.ts';
import { type Client } from '../client/request.ts';

export type TestEvent = TestClientSubscription['events'];

export interface TestSession {
  readonly client: Client | undefined;
  readonly status: Status | undefined;
  /** Newest first. */
  readonly events: readonly TestEvent[];
}

const KEPT = 200;

/** Connects with a credential and follows everything that the connection receives. */
export function useTestClient(credential: string | undefined): TestSession {
  const [session, setSession] = useState<TestSession>({ client: undefined, status: undefined, events: [] });
  useEffect(() => {
    if (credential === undefined) return;
    const client = createClient({ url: location.origin, credential });
    const stopStatus = client.on('status', (status) => setSession((before) => ({ ...before, status })));
    client.subscribe(
      TestClientDocument,
      {},
      {
        next(data) {
          const { events } = data as TestClientSubscription;
          setSession((before) => ({ ...before, events: [events, ...before.events].slice(0, KEPT) }));
        },
        error: () => undefined, // The status says why the client ended.
      },
    );
    client.connect();
    setSession({ client, status: client.status, events: [] });
    return () => {
      stopStatus();
      void client.close();
    };
  }, [credential]);
  return session;
}
