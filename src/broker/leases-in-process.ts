import { type Clock } from '../clock.ts';
import { Multimap } from '../multimap.ts';
import { type Leases, type Member } from './leases.ts';
import { SortedIds } from './sorted-ids.ts';

interface Entry {
  member: Member;
  channelIds: Set<string>;
}

/** See Leases. Keeps all leases in memory, so they end with the process. */
export function createInProcessLeases(clock: Clock): Leases {
  /** When the lease of each node ends, on the monotonic clock; minus infinity for a node that never held a lease. */
  const leaseEnds = new Map<string, number>();
  const byConnection = new Map<string, Entry>();
  const byToken = new Multimap<Entry>();
  const byChannel = new Map<string, SortedIds>();

  const isLive = ({ member }: Entry) =>
    clock.monotonic() < (leaseEnds.get(member.nodeId) ?? Number.NEGATIVE_INFINITY);

  function findLive(projectId: string, connectionId: string): Entry | undefined {
    const entry = byConnection.get(connectionId);
    return entry && entry.member.projectId === projectId && isLive(entry) ? entry : undefined;
  }

  function membersOfToken(projectId: string, tokenId: string): Member[] {
    const entries = byToken.of(keyOf(projectId, tokenId));
    return entries.filter(isLive).map(({ member }) => member);
  }

  function remove(entry: Entry): void {
    const { member, channelIds } = entry;
    byConnection.delete(member.connectionId);
    if (member.tokenId !== null) byToken.delete(keyOf(member.projectId, member.tokenId), entry);
    for (const channelId of channelIds) exit(member.projectId, channelId, member.connectionId);
  }

  function exit(projectId: string, channelId: string, connectionId: string): void {
    const key = keyOf(projectId, channelId);
    const ids = byChannel.get(key);
    ids?.delete(connectionId);
    if (ids?.length === 0) byChannel.delete(key);
  }

  const areAllLeasesValid = () => [...leaseEnds.values()].every((end) => clock.monotonic() < end);

  return {
    async renew(nodeId, leaseMs) {
      leaseEnds.set(nodeId, clock.monotonic() + leaseMs);
    },
    async join(member) {
      const known = byConnection.get(member.connectionId);
      const entry = known ?? { member, channelIds: new Set() };
      entry.member = member;
      if (!known) byConnection.set(member.connectionId, entry);
      if (!leaseEnds.has(member.nodeId)) leaseEnds.set(member.nodeId, Number.NEGATIVE_INFINITY);
      if (member.tokenId !== null) byToken.add(keyOf(member.projectId, member.tokenId), entry);
    },
    async leave(projectId, connectionId) {
      const entry = byConnection.get(connectionId);
      if (entry?.member.projectId === projectId) remove(entry);
    },
    async enter(projectId, connectionId, channelId) {
      const entry = byConnection.get(connectionId);
      if (entry?.member.projectId !== projectId) return;
      entry.channelIds.add(channelId);
      const key = keyOf(projectId, channelId);
      const ids = byChannel.get(key) ?? new SortedIds();
      ids.add(connectionId);
      byChannel.set(key, ids);
    },
    async exit(projectId, connectionId, channelId) {
      const entry = byConnection.get(connectionId);
      if (entry?.member.projectId !== projectId) return;
      entry.channelIds.delete(channelId);
      exit(projectId, channelId, connectionId);
    },
    ofToken: async (projectId, tokenId) => membersOfToken(projectId, tokenId),
    async ofChannel(projectId, channelId, { after = '', limit }) {
      const members: Member[] = [];
      for (const connectionId of byChannel.get(keyOf(projectId, channelId))?.after(after) ?? []) {
        if (members.length >= limit) break;
        const entry = findLive(projectId, connectionId);
        if (entry) members.push(entry.member);
      }
      return members;
    },
    isIn: async (projectId, connectionId, channelId) =>
      findLive(projectId, connectionId)?.channelIds.has(channelId) ?? false,
    async countOfChannel(projectId, channelId) {
      const ids = byChannel.get(keyOf(projectId, channelId));
      if (!ids || areAllLeasesValid()) return ids?.length ?? 0;
      return [...ids.after('')].filter((connectionId) => findLive(projectId, connectionId)).length;
    },
    find: async (projectId, connectionId) => findLive(projectId, connectionId)?.member,
    async onlineTokens(projectId) {
      const online = new Set<string>();
      for (const entry of byConnection.values()) {
        if (entry.member.projectId === projectId && entry.member.tokenId !== null && isLive(entry))
          online.add(entry.member.tokenId);
      }
      return [...online].sort();
    },
    async lapse() {
      const lapsed = [...byConnection.values()].filter((entry) => !isLive(entry));
      lapsed.forEach(remove);
      for (const [nodeId, end] of leaseEnds) if (clock.monotonic() >= end) leaseEnds.delete(nodeId);
      return lapsed.map(({ member, channelIds }) => ({ member, channelIds: [...channelIds] }));
    },
  };
}

/** Project ids contain no line break, so keys of different projects never collide. */
const keyOf = (projectId: string, id: string) => `${projectId}\n${id}`;
