import { type Clock } from '../clock.ts';
import { flatKey } from '../flat-key.ts';
import { Multimap } from '../multimap.ts';
import { type Leases, type Member } from './leases.ts';
import { firstIds, SortedIds } from './sorted-ids.ts';

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
  const byIdentity = new Multimap<Entry>();
  const byChannel = new Map<string, SortedIds>();
  const byProject = new Map<string, SortedIds>();

  const isLive = ({ member }: Entry) =>
    clock.monotonic() < (leaseEnds.get(member.nodeId) ?? Number.NEGATIVE_INFINITY);

  function findLive(projectId: string, connectionId: string): Entry | undefined {
    const entry = byConnection.get(connectionId);
    return entry && entry.member.projectId === projectId && isLive(entry) ? entry : undefined;
  }

  function membersOf(index: Multimap<Entry>, projectId: string, id: string): Member[] {
    const entries = index.of(flatKey(projectId, id));
    return entries.filter(isLive).map(({ member }) => member);
  }

  function* onlineTokensOf(projectId: string): Generator<string> {
    for (const entry of byConnection.values()) {
      if (entry.member.projectId === projectId && entry.member.tokenId !== null && isLive(entry))
        yield entry.member.tokenId;
    }
  }

  function remove(entry: Entry): void {
    const { member, channelIds } = entry;
    byConnection.delete(member.connectionId);
    removeId(byProject, member.projectId, member.connectionId);
    if (member.tokenId !== null) byToken.delete(flatKey(member.projectId, member.tokenId), entry);
    if (member.identity !== null) byIdentity.delete(flatKey(member.projectId, member.identity), entry);
    for (const channelId of channelIds) removeFromChannel(member.projectId, channelId, member.connectionId);
  }

  function removeFromChannel(projectId: string, channelId: string, connectionId: string): void {
    removeId(byChannel, flatKey(projectId, channelId), connectionId);
  }

  const areAllLeasesValid = () => [...leaseEnds.values()].every((end) => clock.monotonic() < end);

  return {
    async renew(nodeId, leaseMs) {
      leaseEnds.set(nodeId, clock.monotonic() + leaseMs);
    },
    async addConnection(member) {
      const known = byConnection.get(member.connectionId);
      const entry = known ?? { member, channelIds: new Set() };
      entry.member = member;
      if (!known) {
        byConnection.set(member.connectionId, entry);
        addId(byProject, member.projectId, member.connectionId);
      }
      if (!leaseEnds.has(member.nodeId)) leaseEnds.set(member.nodeId, Number.NEGATIVE_INFINITY);
      if (member.identity !== null) byIdentity.add(flatKey(member.projectId, member.identity), entry);
      if (member.tokenId === null) return 1;
      const token = flatKey(member.projectId, member.tokenId);
      byToken.add(token, entry);
      return byToken.countOf(token);
    },
    async removeConnection(projectId, connectionId) {
      const entry = byConnection.get(connectionId);
      if (entry?.member.projectId === projectId) remove(entry);
    },
    async joinChannel(projectId, connectionId, channelId) {
      const entry = byConnection.get(connectionId);
      if (entry?.member.projectId !== projectId) return;
      entry.channelIds.add(channelId);
      addId(byChannel, flatKey(projectId, channelId), connectionId);
    },
    async leaveChannel(projectId, connectionId, channelId) {
      const entry = byConnection.get(connectionId);
      if (entry?.member.projectId !== projectId) return;
      entry.channelIds.delete(channelId);
      removeFromChannel(projectId, channelId, connectionId);
    },
    ofToken: async (projectId, tokenId) => membersOf(byToken, projectId, tokenId),
    ofIdentity: async (projectId, identity) => membersOf(byIdentity, projectId, identity),
    async ofChannel(projectId, channelId, { after = '', limit }) {
      const members: Member[] = [];
      for (const connectionId of byChannel.get(flatKey(projectId, channelId))?.after(after) ?? []) {
        if (members.length >= limit) break;
        const entry = findLive(projectId, connectionId);
        if (entry) members.push(entry.member);
      }
      return members;
    },
    isIn: async (projectId, connectionId, channelId) =>
      findLive(projectId, connectionId)?.channelIds.has(channelId) ?? false,
    async countOfChannel(projectId, channelId) {
      const ids = byChannel.get(flatKey(projectId, channelId));
      if (!ids || areAllLeasesValid()) return ids?.length ?? 0;
      return [...ids.after('')].filter((connectionId) => findLive(projectId, connectionId)).length;
    },
    find: async (projectId, connectionId) => findLive(projectId, connectionId)?.member,
    async list(projectId, { channelId, tokenId, identity, transport }, { after = '', limit }) {
      const ids =
        channelId === undefined ? byProject.get(projectId) : byChannel.get(flatKey(projectId, channelId));
      const found: { member: Member; channelIds: string[] }[] = [];
      for (const connectionId of ids?.after(after) ?? []) {
        if (found.length >= limit) break;
        const entry = findLive(projectId, connectionId);
        if (!entry) continue;
        const { member, channelIds } = entry;
        if (tokenId !== undefined && member.tokenId !== tokenId) continue;
        if (identity !== undefined && member.identity !== identity) continue;
        if (transport !== undefined && member.transport !== transport) continue;
        found.push({ member, channelIds: [...channelIds] });
      }
      return found;
    },
    onlineTokens: async (projectId, page) => firstIds(onlineTokensOf(projectId), page),
    onlineAmong: async (projectId, tokenIds) =>
      new Set(tokenIds.filter((tokenId) => membersOf(byToken, projectId, tokenId).length > 0)),
    async lapse() {
      const lapsed = [...byConnection.values()].filter((entry) => !isLive(entry));
      lapsed.forEach(remove);
      for (const [nodeId, end] of leaseEnds) if (clock.monotonic() >= end) leaseEnds.delete(nodeId);
      return lapsed.map(({ member, channelIds }) => ({ member, channelIds: [...channelIds] }));
    },
  };
}

function addId(sets: Map<string, SortedIds>, key: string, id: string): void {
  const ids = sets.get(key) ?? new SortedIds();
  ids.add(id);
  sets.set(key, ids);
}

function removeId(sets: Map<string, SortedIds>, key: string, id: string): void {
  const ids = sets.get(key);
  ids?.delete(id);
  if (ids?.length === 0) sets.delete(key);
}
