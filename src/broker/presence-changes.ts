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
  readonly #left = new Map<string, Key>();
  readonly #joined = new Map<string, Member>();
  readonly #exited = new Map<string, ChannelKey>();
  readonly #entered = new Map<string, ChannelKey>();

  get size(): number {
    return this.#left.size + this.#joined.size + this.#exited.size + this.#entered.size;
  }

  leave(projectId: string, connectionId: string): void {
    this.#left.set(connectionId, [projectId, connectionId]);
    this.#joined.delete(connectionId);
    for (const changes of [this.#exited, this.#entered])
      for (const [key, [, id]] of changes) if (id === connectionId) changes.delete(key);
  }

  join(member: Member): void {
    this.#joined.set(member.connectionId, member);
  }

  enter(...key: ChannelKey): void {
    this.#exited.delete(key.join('\n'));
    this.#entered.set(key.join('\n'), key);
  }

  exit(...key: ChannelKey): void {
    this.#entered.delete(key.join('\n'));
    this.#exited.set(key.join('\n'), key);
  }

  /** The parameters of `write_presence_v1` after the node. */
  toParameters(): unknown[] {
    const members = [...this.#joined.values()];
    return [
      ...columnsOf([...this.#left.values()], 2),
      members.map(({ projectId }) => projectId),
      members.map(({ connectionId }) => connectionId),
      members.map(({ tokenId }) => tokenId),
      members.map(({ identity }) => identity),
      members.map(({ transport }) => transport),
      members.map((member) => JSON.stringify(member)),
      ...columnsOf([...this.#exited.values()], 3),
      ...columnsOf([...this.#entered.values()], 3),
    ];
  }
}

function columnsOf(rows: readonly (readonly string[])[], count: number): string[][] {
  return Array.from({ length: count }, (_, column) => rows.map((row) => row[column] ?? ''));
}
