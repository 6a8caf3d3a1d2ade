import { useEffect, useState } from 'react';
import { type EventMap, type EventName, type MessageOf } from '@signalbox/client';
import { useSignalbox } from './provider.ts';

/**
 * The direct messages with one event name, or all for `*`, that arrive while the component is mounted, oldest first.
 *
 * @param limit the number of messages to keep: 100 by default; older ones are forgotten
 */
export function useDirectMessages<
  Events extends EventMap = Record<string, unknown>,
  Event extends EventName<Events> | '*' = '*',
>(event: Event, limit = 100): readonly MessageOf<Events, Event>[] {
  const { direct } = useSignalbox<Events>();
  const [messages, setMessages] = useState<readonly MessageOf<Events, Event>[]>([]);
  useEffect(() => {
    setMessages([]);
    return direct.on(event, (message) => setMessages((known) => [...known, message].slice(-limit)));
  }, [direct, event, limit]);
  return messages;
}
