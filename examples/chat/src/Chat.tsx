import { useState } from 'react';
import { useChannel, useStatus } from '@signalbox/react';
import { Composer, MessageItem, nameOf, useScrollToEnd, type Events } from './parts.tsx';

/** The page: messages with history, members, typing, and what is on its way. */
export function Chat() {
  const status = useStatus();
  const { messages, members, typing, hasOlder, isLoading, error, publish, startTyping, loadOlder } =
    useChannel<Events>('lobby', { history: 30 });
  const [text, setText] = useState('');
  const end = useScrollToEnd(messages.at(-1)?.key);
  return (
    <main>
      <header>
        <h1>Lobby</h1>
        <p role="status">{status.message}</p>
        <p>Online: {members.map(({ key }) => nameOf(key)).join(', ')}</p>
      </header>
      {error && <p role="alert">{error.message}</p>}
      <ol aria-label="Messages" tabIndex={0}>
        {hasOlder && (
          <li className="older">
            <button disabled={isLoading} onClick={() => void loadOlder()}>
              Older messages
            </button>
          </li>
        )}
        {messages.map((entry) => (
          <MessageItem key={entry.key} entry={entry} />
        ))}
        <li ref={end} aria-hidden="true" />
      </ol>
      <p aria-live="polite" className="typing">
        {typing.length > 0 && `${typing.map(({ key }) => nameOf(key)).join(', ')} is typing …`}
      </p>
      <Composer
        text={text}
        onChange={(value) => (setText(value), startTyping())}
        onSend={() => (void publish('message', { text }), setText(''))}
      />
    </main>
  );
}
