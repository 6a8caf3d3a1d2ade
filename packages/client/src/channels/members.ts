import { type Member, type PresenceChange } from '../inbox/events.ts';

/** A user who is present in a channel, with each of their connections. */
export interface ChannelMember {
  /** The identity, or the id of the token or connection where there is none: unique within the channel. */
  readonly key: string;
  readonly identity: string | null;
  readonly connectionData: string | null;
  /** The presence state that was set last by one of the connections. */
  readonly state: unknown;
  readonly connections: readonly Member[];
}

/** The members of one channel. */
export interface Members {
  readonly list: readonly ChannelMember[];
  /** Call it before a snapshot is requested: changes that arrive from now on are applied to the snapshot. */
  beginSnapshot(): void;
  finishSnapshot(connections: readonly Member[]): void;
  apply(change: PresenceChange): void;
}

/** Creates an empty list of members, sorted by key. */
export function createMembers(): Members {
  let connections = new Map<string, Member>();
  let since: PresenceChange[] | undefined;
  let list: readonly ChannelMember[] = [];

  function change(event: PresenceChange): void {
    connections.delete(event.member.id);
    if (event.change !== 'LEFT') connections.set(event.member.id, event.member);
  }

  function update(): void {
    const byKey = new Map<string, Member[]>();
    for (const member of connections.values()) {
      const key = member.identity ?? member.token ?? member.id;
      byKey.set(key, [...(byKey.get(key) ?? []), member]);
    }
    list = [...byKey]
      .map(([key, members]) => {
        const last = members.reduce((a, b) => (b.state === null && a.state !== null ? a : b));
        const { identity, connectionData, state } = last;
        return { key, identity, connectionData, state, connections: members };
      })
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  return {
    get list() {
      return list;
    },
    beginSnapshot() {
      since = [];
    },
    finishSnapshot(snapshot) {
      connections = new Map(snapshot.map((member) => [member.id, member]));
      since?.forEach(change);
      since = undefined;
      update();
    },
    apply(event) {
      since?.push(event);
      change(event);
      update();
    },
  };
}
