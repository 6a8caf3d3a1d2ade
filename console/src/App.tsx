import { useState } from 'react';
import { useRoute } from './routing/route.ts';
import { SessionProvider } from './sign-in/SessionProvider.tsx';
import { SignIn } from './sign-in/SignIn.tsx';
import { type Session } from './client/session.ts';
import { Shell } from './shell/Shell.tsx';
import { TestClient } from './test-client/TestClient.tsx';

/** The console, or the test client that it opened in another window. */
export function App() {
  const { path } = useRoute();
  const [session, setSession] = useState<Session>();
  const [farewell, setFarewell] = useState<string>();
  if (path[0] === 'test-client') return <TestClient />;
  if (!session) return <SignIn notice={farewell} onSignedIn={setSession} />;
  const leave = (reason?: string) => {
    setFarewell(reason);
    setSession(undefined);
    void session.client.close();
  };
  return (
    <SessionProvider session={session} onLeave={leave}>
      <Shell />
    </SessionProvider>
  );
}
