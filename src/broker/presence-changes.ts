import { type Member } from './leases.ts';

/** A connection and the channels that it is in. */
export interface PresentConnection {
  member: Member;
  readonly channelIds: Set<string>;
}

type Key = readonly [projectId: string, connectionId: string];
type ChannelKey = readonly [...Key, channelId: string];

/**
 * Changes of presence that wait to be written together. For each connection and channel the last change counts; those that left
 * are removed before anything else, so that a connection that left and joined again is in no channel.
 */
export class PresenceChanges {
  readonly #removedConnections = new Map<string, Key>();
  readonly #addedConnections = new Map<string, Member>();
  readonly #leftChannels = new Map<string, ChannelKey>();
  readonly #joinedChannels = new Map<string, ChannelKey>();

  get size(): number {
    return (
      this.#removedConnections.size +
      this.#addedConnections.size +
      this.#leftChannels.size +
      this.#joinedChannels.size
    );
  }

  removeConnection(projectId: string, connectionId: string): void {
    this.#removedConnections.set(connectionId, [projectId, connectionId]);
    this.#addedConnections.delete(connectionId);
    for (const changes of [this.#leftChannels, this.#joinedChannels])
      for (const [key, [, id]] of changes) if (id === connectionId) changes.delete(key);
  }

  addConnection(member: Member): void {
    this.#addedConnections.set(member.connectionId, member);
  }

  joinChannel(...key: ChannelKey): void {
    this.#leftChannels.delete(key.join('\n'));
    this.#joinedChannels.set(key.join('\n'), key);
  }

  leaveChannel(...key: ChannelKey): void {
    this.#joinedChannels.delete(key.join('\n'));
    this.#leftChannels.set(key.join('\n'), key);
  }

  /** The parameters of `write_presence_v1` after the node. */
  toParameters(): unknown[] {
    const members = [...this.#addedConnections.values()];
    return [
      ...columnsOf([...this.#removedConnections.values()], 2),
      members.map(({ projectId }) => projectId),
      members.map(({ connectionId }) => connectionId),
      members.map(({ tokenId }) => tokenId),
      members.map(({ identity }) => identity),
      members.map(({ transport }) => transport),
      members.map((member) => JSON.stringify(member)),
      ...columnsOf([...this.#leftChannels.values()], 3),
      ...columnsOf([...this.#joinedChannels.values()], 3),
    ];
  }
}

function columnsOf(rows: readonly (readonly string[])[], count: number): string[][] {
  return Array.from({ length: count }, (_, column) => rows.map((row) => row[column] ?? ''));
}
