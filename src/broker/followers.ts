import { type AsyncLog } from './async-log.ts';
import { type Delivery } from './delivery.ts';
import { createEphemeralReceiver } from './ephemeral-receiver.ts';
import { Follower, type FollowerCounts, type Look } from './follower.ts';
import { type Message } from './message.ts';
import { type Wire } from './wire.ts';
import { withinTime } from './within-time.ts';
import { decodeBatch, encodeBatch, encodeEphemeral } from './wire-messages.ts';

/** Time between two reads of the heads of the logs, in milliseconds. It bounds the delay by a hint that was lost. */
const POLL_MS = 250;
/** Batches of up to this size ride on the wire; other nodes read larger ones from the log, in bytes. */
const MAX_INLINE_BYTES = 16 * 1024;
/** Ephemeral messages of one payload, in bytes of their data. One message is never divided. */
const MAX_EPHEMERAL_BYTES = 128 * 1024;
/** The size of a message without its data, about, in bytes. */
const BYTES_PER_MESSAGE = 400;

/** A message and the size of its data as JSON, in bytes. */
interface Sized {
  message: Message;
  bytes: number;
}

/** The followers of the projects that have connections or publishes on this node. */
export interface Followers extends Disposable {
  of(projectId: string): Follower;
  /** Delivers all later messages of the project on this node, until the returned value is disposed. */
  follow(projectId: string): Promise<Disposable>;
  /** Sends messages that this node has appended, or ephemeral ones, to the other nodes. */
  send(projectId: string, messages: readonly Sized[]): void;
  /** Begins anew at the heads of the logs, and closes the connections: the database may lack messages that were delivered. */
  restart(): void;
  readonly counts: Readonly<FollowerCounts>;
  /** Ephemeral messages of other nodes that were dropped, because too many waited for their delivery. */
  readonly ephemeralDropped: number;
  /** The messages of the project that lags most which are in the log and not delivered here yet. */
  lag(): number;
}

export function createFollowers({
  log,
  delivery,
  wire,
}: {
  log: Pick<AsyncLog, 'head' | 'headsOf' | 'readRange'>;
  delivery: Delivery;
  wire: Wire;
}): Followers {
  const followers = new Map<string, Follower>();
  const followed = new Map<string, number>();
  /** Projects that publish here are followed for ever; there are as many as lanes. */
  const publishing = new Set<string>();
  const counts: FollowerCounts = { batches: 0, batchMessages: 0, repairs: 0, repairedMessages: 0 };

  const ephemeral = createEphemeralReceiver(delivery);

  function restart(): void {
    for (const follower of followers.values()) follower.restart();
    delivery.reset();
  }

  function followerOf(projectId: string): Follower {
    const known = followers.get(projectId);
    if (known) return known;
    const follower = new Follower(projectId, { log, delivery, counts, onSetBack: restart });
    followers.set(projectId, follower);
    return follower;
  }

  function unfollow(projectId: string): void {
    const others = (followed.get(projectId) ?? 1) - 1;
    if (others > 0) return void followed.set(projectId, others);
    followed.delete(projectId);
    if (publishing.has(projectId)) return;
    followers.get(projectId)?.stop();
    followers.delete(projectId);
  }

  const listening = [
    wire.listen('batch', (payload) => {
      const batch = decodeBatch(payload);
      if (batch) followers.get(batch.projectId)?.receive(batch.first, batch.last, batch.messages);
    }),
    wire.listen('ephemeral', ephemeral.receive),
    wire.onGap(() => void poll()),
  ];

  let isPolling = false;
  async function poll(): Promise<void> {
    if (isPolling || followers.size === 0) return;
    isPolling = true;
    try {
      const looks = new Map<string, Look>();
      for (const [projectId, follower] of followers) {
        const look = follower.look();
        if (look) looks.set(projectId, look);
      }
      if (looks.size === 0) return;
      const positions = new Map([...looks].map(([projectId, { position }]) => [projectId, position]));
      for (const [projectId, head] of await withinTime(log.headsOf(positions)))
        looks.get(projectId)?.onHead(head);
    } catch {
      // The store reports that the database cannot be reached; the next poll follows.
    } finally {
      isPolling = false;
    }
  }
  const polls = setInterval(() => void poll(), POLL_MS).unref();

  function sendEphemeral(projectId: string, messages: readonly Sized[]): void {
    let group: Message[] = [];
    let size = 0;
    for (const { message, bytes } of messages) {
      if (group.length > 0 && size + bytes > MAX_EPHEMERAL_BYTES) {
        wire.send('ephemeral', encodeEphemeral(projectId, group));
        group = [];
        size = 0;
      }
      group.push(message);
      size += bytes + BYTES_PER_MESSAGE;
    }
    if (group.length > 0) wire.send('ephemeral', encodeEphemeral(projectId, group));
  }

  return {
    of(projectId) {
      publishing.add(projectId);
      return followerOf(projectId);
    },
    async follow(projectId) {
      followed.set(projectId, (followed.get(projectId) ?? 0) + 1);
      let isFollowing = true;
      const end = () => {
        if (isFollowing) unfollow(projectId);
        isFollowing = false;
      };
      try {
        await followerOf(projectId).started();
      } catch (error) {
        end();
        throw error;
      }
      return { [Symbol.dispose]: end };
    },
    send(projectId, messages) {
      const logged = messages.filter(({ message }) => message.logged !== null);
      const size = logged.reduce((sum, { bytes }) => sum + bytes + BYTES_PER_MESSAGE, 0);
      if (logged.length > 0) {
        const batch = logged.map(({ message }) => message);
        wire.send('batch', encodeBatch(projectId, batch, size <= MAX_INLINE_BYTES));
      }
      sendEphemeral(
        projectId,
        messages.filter(({ message }) => message.logged === null),
      );
    },
    restart,
    counts,
    get ephemeralDropped() {
      return ephemeral.dropped;
    },
    lag: () => Math.max(0, ...[...followers.values()].map(({ lag }) => lag)),
    [Symbol.dispose]() {
      clearInterval(polls);
      for (const each of listening) each[Symbol.dispose]();
      for (const follower of followers.values()) follower.stop();
    },
  };
}
