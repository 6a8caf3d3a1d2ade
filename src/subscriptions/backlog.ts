import { type Batch } from '../batch.ts';
import { type Message } from '../broker/message.ts';

/** Messages outside of the log that wait until a subscription starts. Beyond them, the oldest is dropped. */
const MAX_BACKLOG = 100;

/** The backlog with a batch added at its end. */
export function addToBacklog(backlog: Batch<Message>, batch: Batch<Message>): Batch<Message> {
  return [...backlog, ...batch].slice(-MAX_BACKLOG);
}
