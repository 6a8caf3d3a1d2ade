import { type Clock } from '../clock.ts';
import { Multimap } from '../multimap.ts';
import { type Leases, type Member } from './leases.ts';
import { SortedIds } from './sorted-ids.ts';

interface Held {
  member: Member;
  channelIds: Set<string>;
}

/** See Leases. Keeps them in memory: when this process dies, so do they. */
export function createInProcessLeases(clock: Clock): Leases {
  /** Of every node that has connections here, also one that never held a lease. */
  const leaseEnds = new Map<string, number>();
  const byConnection = new Map<string, Held>();
  const byToken = new Multimap<Held>();
  const byChannel = new Map<string, SortedIds>();

  const isHere = ({ member }: Held) => clock.now() < (leaseEnds.get(member.nodeId) ?? 0);

  function lookUp(projectId: string, connectionId: string): Held | undefined {
    const held = byConnection.get(connectionId);
    return held && held.member.projectId === projectId && isHere(held) ? held : undefined;
  }

  function membersOfToken(projectId: string, tokenId: string): Member[] {
    const held = byToken.of(keyOf(projectId, tokenId));
    return held.filter(isHere).map(({ member }) => member);
  }

  function forget(held: Held): void {
    const { member, channelIds } = held;
    byConnection.delete(member.connectionId);
    if (member.tokenId !== null) byToken.delete(keyOf(member.projectId, member.tokenId), held);
    for (const channelId of channelIds) exit(member.projectId, channelId, member.connectionId);
  }

  function exit(projectId: string, channelId: string, connectionId: string): void {
    const key = keyOf(projectId, channelId);
    const ids = byChannel.get(key);
    ids?.delete(connectionId);
    if (ids?.length === 0) byChannel.delete(key);
  }

  const isEveryoneHere = () => [...leaseEnds.values()].every((end) => clock.now() < end);

  return {
    async renew(nodeId, leaseMs) {
      leaseEnds.set(nodeId, clock.now() + leaseMs);
    },
    async join(member) {
      const known = byConnection.get(member.connectionId);
      const held = known ?? { member, channelIds: new Set() };
      held.member = member;
      if (!known) byConnection.set(member.connectionId, held);
      if (!leaseEnds.has(member.nodeId)) leaseEnds.set(member.nodeId, 0);
      if (member.tokenId !== null) byToken.add(keyOf(member.projectId, member.tokenId), held);
    },
    async leave(projectId, connectionId) {
      const held = byConnection.get(connectionId);
      if (held?.member.projectId === projectId) forget(held);
    },
    async enter(projectId, connectionId, channelId) {
      const held = byConnection.get(connectionId);
      if (held?.member.projectId !== projectId) return;
      held.channelIds.add(channelId);
      const key = keyOf(projectId, channelId);
      const ids = byChannel.get(key) ?? new SortedIds();
      ids.add(connectionId);
      byChannel.set(key, ids);
    },
    async exit(projectId, connectionId, channelId) {
      const held = byConnection.get(connectionId);
      if (held?.member.projectId !== projectId) return;
      held.channelIds.delete(channelId);
      exit(projectId, channelId, connectionId);
    },
    ofToken: async (projectId, tokenId) => membersOfToken(projectId, tokenId),
    async ofChannel(projectId, channelId, { after = '', limit }) {
      const members: Member[] = [];
      for (const connectionId of byChannel.get(keyOf(projectId, channelId))?.after(after) ?? []) {
        if (members.length >= limit) break;
        const held = lookUp(projectId, connectionId);
        if (held) members.push(held.member);
      }
      return members;
    },
    isIn: async (projectId, connectionId, channelId) =>
      lookUp(projectId, connectionId)?.channelIds.has(channelId) ?? false,
    async countOfChannel(projectId, channelId) {
      const ids = byChannel.get(keyOf(projectId, channelId));
      if (!ids || isEveryoneHere()) return ids?.length ?? 0;
      return [...ids.after('')].filter((connectionId) => lookUp(projectId, connectionId)).length;
    },
    find: async (projectId, connectionId) => lookUp(projectId, connectionId)?.member,
    async onlineTokens(projectId) {
      const online = new Set<string>();
      for (const held of byConnection.values()) {
        if (held.member.projectId === projectId && held.member.tokenId !== null && isHere(held))
          online.add(held.member.tokenId);
      }
      return [...online].sort();
    },
    async lapse() {
      const lapsed = [...byConnection.values()].filter((held) => !isHere(held));
      lapsed.forEach(forget);
      for (const [nodeId, end] of leaseEnds) if (clock.now() >= end) leaseEnds.delete(nodeId);
      return lapsed.map(({ member, channelIds }) => ({ member, channelIds: [...channelIds] }));
    },
  };
}

/** Project ids hold no line end, so two projects never share a key. */
const keyOf = (projectId: string, id: string) => `${projectId}\n${id}`;
