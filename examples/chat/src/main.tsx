import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient, SignedOut, type CredentialOption } from '@signalbox/client';
import { SignalboxProvider } from '@signalbox/react';
import { Chat } from './Chat.tsx';
import { type Events } from './parts.tsx';

/** The backend of the example knows who is signed in; here the page tells it the name. */
async function fetchCredential(name: string): Promise<string> {
  const response = await fetch('/credential', { method: 'POST', body: name });
  if (response.status === 401) throw new SignedOut();
  if (!response.ok) throw new Error(`The backend answered ${response.status}.`);
  return response.text();
}

const createChat = (credential: CredentialOption, identity?: string) =>
  createClient<Events>({
    url: document.querySelector<HTMLMetaElement>('meta[name=signalbox]')?.content ?? '',
    credential,
    storage: () => sessionStorage,
    storageKey: identity === undefined ? 'guest' : `user:${identity}`,
    ...(identity !== undefined && { identity }),
  });

function App() {
  const [client, setClient] = useState<ReturnType<typeof createChat>>();
  const [name, setName] = useState('');
  if (client)
    return (
      <SignalboxProvider client={client}>
        <Chat />
      </SignalboxProvider>
    );
  return (
    <main className="login">
      <h1>Chat</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setClient(createChat(() => fetchCredential(name), name));
        }}
      >
        <label>
          Name{' '}
          <input required pattern="[\w\-]{1,64}" value={name} onChange={(e) => setName(e.target.value)} />
        </label>
        <button>Sign in</button>
      </form>
      <button onClick={() => setClient(createChat({ guest: { name: 'guest' } }))}>Enter as a guest</button>
    </main>
  );
}

const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
