import { lockOf, pipeOf, type Announcement } from './announcement.ts';
import { type BroadcastChannelLike, type TabsEnvironment } from './environment.ts';
import { createFollowerPort } from './follower-port.ts';
import { createMultiplexer, type Port, type SocketLike } from './multiplexer.ts';

/** The part of one member in the shared connection. */
export interface Role {
  /** Takes a message of the protocol from the client of this tab. */
  send(text: string): void;
  close(): void;
}

interface LeaderOptions {
  readonly group: string;
  readonly id: string;
  readonly environment: TabsEnvironment;
  /** The channel of the group. */
  readonly channel: BroadcastChannelLike;
  /** Aborts the requests of the locks of followers. */
  readonly signal: unknown;
  readonly socket: SocketLike;
  readonly own: Port;
  /** Why the connection of the followers is over when this tab closes it. */
  readonly farewell: string;
}

/** Shares the WebSocket with every member that attaches, until that member is gone. */
export function createLeader(options: LeaderOptions): Role {
  const { group, id, environment, channel, own } = options;
  const shared = createMultiplexer(options.socket, own);
  const followers = new Map<string, () => void>();
  const announce = (announcement: Announcement) => channel.postMessage(announcement);

  function attach(member: string): void {
    const pipe = new environment.BroadcastChannel(pipeOf(group, id, member));
    const port = createFollowerPort(pipe, { send: shared.send, onGone: drop });
    followers.set(member, () => {
      shared.detach(port);
      pipe.close();
    });
    // Granted when the member no longer holds its lock: its tab was closed, discarded or crashed.
    environment.locks.request(lockOf(group, member), { signal: options.signal }, drop).catch(() => undefined);

    function drop(): void {
      followers.get(member)?.();
      followers.delete(member);
    }
  }

  channel.onmessage = ({ data }) => {
    const announcement = data as Announcement;
    if (announcement.type === 'attach') {
      const { member } = announcement;
      if (!followers.has(member)) attach(member);
      announce({ type: 'here', member, leader: id });
    }
  };
  announce({ type: 'lead', leader: id });

  return {
    send: (text) => shared.send(own, text),
    close() {
      shared.close(options.farewell);
      for (const remove of followers.values()) remove();
    },
  };
}
