import { type Message } from '../broker/message.ts';
import { type Position } from '../broker/position.ts';
import { type Event } from './event.ts';

/** The position after which a subscription resumes once this event of it was received; undefined: none of its own. */
export function positionOfEvent(event: unknown): Position | undefined {
  const { type, message, position, logged } = event as Partial<
    { type: Event['type']; message: Message; position: Position } & Message
  >;
  if (type === 'Connected') return position;
  return (message?.logged ?? logged) || undefined;
}
