import { type Message } from '../message.ts';
import { type Runtime } from '../runtime.ts';

/** The event name of typing messages. They are ephemeral messages with `data` true or false. */
export const TYPING_EVENT = '~typing';
const REPEAT_MS = 3_000;
const SHOWN_MS = 6_000;
/** The time of the last typing message while the user is not typing. */
const NEVER = -Infinity;

/** A user who is typing. */
export interface TypingUser {
  readonly key: string;
  readonly identity: string | null;
  readonly connectionData: string | null;
}

/** Who is typing in a channel, and whether this client does. */
export interface Typing {
  readonly users: readonly TypingUser[];
  /** Call it at each key press. Publishes a typing message at most every 3 s, and the end of typing 6 s after the last call. */
  start(): void;
  /** Tells others at once that the user stopped. Publishing a message does the same, without a typing message. */
  stop(): void;
  /** Call it when the user published a message: receivers take the message as the end of typing. */
  end(): void;
  /** Takes a message of the channel. Returns true for typing messages. */
  receive(message: Message, isOwn: boolean): boolean;
  clear(): void;
}

/**
 * Creates the typing state of a channel.
 *
 * @param publishTyping publishes an ephemeral message; returns false when there is no connection
 * @param onChange is called for `users`
 */
export function createTyping(
  runtime: Runtime,
  publishTyping: (isTyping: boolean) => boolean,
  onChange: () => void,
): Typing {
  const timers = new Map<string, unknown>();
  let users: readonly TypingUser[] = [];
  let lastSignal = NEVER;
  let ownTimer: unknown;

  function end(): void {
    runtime.clearTimer(ownTimer);
    lastSignal = NEVER;
  }

  function stop(): void {
    if (lastSignal === NEVER) return;
    end();
    publishTyping(false);
  }

  function remove(key: string): void {
    runtime.clearTimer(timers.get(key));
    if (!timers.delete(key)) return;
    users = users.filter((user) => user.key !== key);
    onChange();
  }

  return {
    get users() {
      return users;
    },
    start() {
      const now = runtime.now();
      if (Math.abs(now - lastSignal) >= REPEAT_MS) {
        if (!publishTyping(true)) return;
        lastSignal = now;
      }
      runtime.clearTimer(ownTimer);
      ownTimer = runtime.setTimer(stop, SHOWN_MS);
    },
    stop,
    end,
    receive({ event, data, sender }, isOwn) {
      const { identity, connectionData } = sender;
      const key = identity ?? sender.token ?? 'backend';
      const isTyping = event === TYPING_EVENT;
      if (!isTyping || data === false) remove(key);
      else if (!isOwn) {
        const isNew = !timers.has(key);
        runtime.clearTimer(timers.get(key));
        timers.set(
          key,
          runtime.setTimer(() => remove(key), SHOWN_MS),
        );
        if (isNew) {
          users = [...users, { key, identity, connectionData }];
          onChange();
        }
      }
      return isTyping;
    },
    clear() {
      end();
      for (const key of [...timers.keys()]) remove(key);
    },
  };
}
