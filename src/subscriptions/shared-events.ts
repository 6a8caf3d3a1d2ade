import { channelOf, type Message } from '../broker/message.ts';
import { type Signal } from '../broker/signal.ts';
import { type Clock } from '../clock.ts';
import { type Batch } from '../batch.ts';
import { type Event } from './event.ts';

/** Events that are identical in every inbox. Each is created once, so that its GraphQL result is executed once. */
export interface SharedEvents {
  messages(batch: Batch<Message>): Batch<Event>;
  stateUpdated(signal: Extract<Signal, { kind: 'CHANNEL_STATE_UPDATED' }>): Batch<Event>;
  presenceChanged(signal: Extract<Signal, { kind: 'PRESENCE_CHANGED' }>): Batch<Event>;
}

export function createSharedEvents(clock: Clock): SharedEvents {
  return {
    messages: memoizeByIdentity((batch) =>
      batch.map((message) => ({
        type: channelOf(message.address) === null ? 'DirectMessage' : 'ChannelMessage',
        at: message.publishedAt,
        message,
      })),
    ),
    stateUpdated: memoizeByIdentity(({ channel }) => [
      { type: 'ChannelStateUpdated', at: clock.now(), channel },
    ]),
    presenceChanged: memoizeByIdentity(({ change }) => [
      { type: 'PresenceChanged', at: change.at, presence: change },
    ]),
  };
}

/**
 * Memoizes `create` by the identity of its argument. A result lives as long as its argument. The latest argument is
 * checked first, because one signal or batch is delivered to all subscribers before the next one.
 */
function memoizeByIdentity<Key extends object, Value>(create: (key: Key) => Value): (key: Key) => Value {
  const values = new WeakMap<Key, Value>();
  let latest: { key: Key; value: Value } | undefined;
  return (key) => {
    if (latest?.key === key) return latest.value;
    const value = values.get(key) ?? create(key);
    values.set(key, value);
    latest = { key, value };
    return value;
  };
}
