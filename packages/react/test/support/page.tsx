import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from '@signalbox/client';
import { SignalboxProvider, useChannel, useChannelState, usePresence, useStatus } from '@signalbox/react';

/** What the page has opened, and what listens at its window and document. */
const counts = { sockets: 0, listeners: 0 };
Object.assign(globalThis, { counts });
globalThis.WebSocket = class extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    counts.sockets++;
  }
};
for (const target of [window, document]) {
  const { addEventListener, removeEventListener } = target;
  const types = ['online', 'offline', 'pagehide', 'pageshow', 'visibilitychange'];
  Object.assign(target, {
    addEventListener(type: string, ...rest: [() => void]) {
      if (types.includes(type)) counts.listeners++;
      addEventListener.call(target, type, ...rest);
    },
    removeEventListener(type: string, ...rest: [() => void]) {
      if (types.includes(type)) counts.listeners--;
      removeEventListener.call(target, type, ...rest);
    },
  });
}

/** The page of the test, as a bundle for a browser. The address has the service and the credential. */
const parameters = new URLSearchParams(location.search);
const open = () =>
  createClient<{ message: { text: string } }>({
    url: parameters.get('url') ?? '',
    credential: parameters.get('credential') ?? '',
    storage: () => sessionStorage,
  });
let client = open();

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

const root = createRoot(document.getElementById('root')!);
/** Another type of component for each call, so that React mounts it anew, as it does when its module was replaced. */
function render(): void {
  const Replaced = () => <Page />;
  root.render(
    <StrictMode>
      <SignalboxProvider client={client}>
        <Replaced />
      </SignalboxProvider>
    </StrictMode>,
  );
}
render();
Object.assign(globalThis, {
  /** What a development server does when a module with components was replaced. */
  replaceComponents: render,
  /** What it does when the module with the client was replaced, where the module disposes as the guide says. */
  replaceClient() {
    void client.close();
    client = open();
    render();
  },
});
