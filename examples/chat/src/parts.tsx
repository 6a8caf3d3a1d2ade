import { useEffect, useRef } from 'react';
import { type TimelineEntry } from '@signalbox/client';

/** The events of the application. */
export interface Events {
  message: { text: string };
}

/** The name within an identity: a guest is `guest:<random>:<name>`. */
export const nameOf = (identity: string): string => identity.split(':').at(-1) ?? identity;

/** One message, published or on its way. */
export function MessageItem({ entry }: { entry: TimelineEntry<Events> }) {
  const { state, data, message, isOwn, at, error, retry, discard } = entry;
  return (
    <li className={`${isOwn ? 'own' : ''} ${state}`}>
      <span className="by">{isOwn ? 'You' : nameOf(message?.sender.identity ?? 'Backend')}</span>
      <span className="text">{data.text}</span>
      <time dateTime={at}>{state === 'published' ? new Date(at).toLocaleTimeString() : state}</time>
      {state === 'failed' && (
        <span role="alert">
          {error?.message} <button onClick={retry}>Retry</button> <button onClick={discard}>Discard</button>
        </span>
      )}
    </li>
  );
}

/** The field for a new message. */
export function Composer(properties: { text: string; onChange(text: string): void; onSend(): void }) {
  const { text, onChange, onSend } = properties;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) onSend();
      }}
    >
      <input
        aria-label="Message"
        autoComplete="off"
        maxLength={2000}
        value={text}
        onChange={(event) => onChange(event.target.value)}
      />
      <button>Send</button>
    </form>
  );
}

/** Keeps the end of the list in view when another message is the last one. */
export function useScrollToEnd(lastKey: string | undefined) {
  const end = useRef<HTMLLIElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' });
  }, [lastKey]);
  return end;
}
