import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from '@signalbox/client';
import { SignalboxProvider, useChannel, useChannelState, usePresence, useStatus } from '@signalbox/react';

/** The page of the test, as a bundle for a browser. The address has the service and the credential. */
const parameters = new URLSearchParams(location.search);
const client = createClient<{ message: { text: string } }>({
  url: parameters.get('url') ?? '',
  credential: parameters.get('credential') ?? '',
  storage: () => sessionStorage,
});

function Page() {
  const { messages, typing, publish, startTyping } = useChannel<{ message: { text: string } }>('lobby');
  const { members } = usePresence('lobby');
  const state = useChannelState<{ topic: string }>('lobby');
  const status = useStatus();
  const [text, setText] = useState('');
  return (
    <>
      <h1>{state?.topic}</h1>
      <p id="status">{status.state}</p>
      <ol>
        {messages.map(({ key, state, data }) => (
          <li key={key} className={state}>
            {data.text}
          </li>
        ))}
      </ol>
      <p id="members">{members.map(({ key }) => key).join()}</p>
      <p id="typing">{typing.map(({ key }) => key).join()}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void publish('message', { text });
          setText('');
        }}
      >
        <input
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            startTyping();
          }}
        />
      </form>
    </>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <SignalboxProvider client={client}>
      <Page />
    </SignalboxProvider>
  </StrictMode>,
);
