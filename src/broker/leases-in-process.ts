import { type Clock } from '../clock.ts';
import { type Leases, type Member } from './leases.ts';

interface Held {
  member: Member;
  channelIds: Set<string>;
}

/** See Leases. Keeps them in memory: when this process dies, so do they. */
export function createInProcessLeases(clock: Clock): Leases {
  const leaseEnds = new Map<string, number>();
  const byConnection = new Map<string, Held>();
  const byToken = new Map<string, Set<string>>();
  const byChannel = new Map<string, Set<string>>();

  const isHere = ({ member }: Held) => clock.now() < (leaseEnds.get(member.nodeId) ?? 0);

  function lookUp(projectId: string, connectionId: string): Held | undefined {
    const held = byConnection.get(connectionId);
    return held && held.member.projectId === projectId && isHere(held) ? held : undefined;
  }

  function membersOf(index: Map<string, Set<string>>, projectId: string, id: string): Member[] {
    const connectionIds = index.get(keyOf(projectId, id)) ?? [];
    return [...connectionIds].flatMap((connectionId) => lookUp(projectId, connectionId)?.member ?? []);
  }

  function forget({ member, channelIds }: Held): void {
    byConnection.delete(member.connectionId);
    if (member.tokenId !== null)
      removeFrom(byToken, keyOf(member.projectId, member.tokenId), member.connectionId);
    for (const channelId of channelIds)
      removeFrom(byChannel, keyOf(member.projectId, channelId), member.connectionId);
  }

  return {
    async renew(nodeId, leaseMs) {
      leaseEnds.set(nodeId, clock.now() + leaseMs);
    },
    async join(member) {
      const channelIds = byConnection.get(member.connectionId)?.channelIds ?? new Set();
      byConnection.set(member.connectionId, { member, channelIds });
      if (member.tokenId !== null)
        addTo(byToken, keyOf(member.projectId, member.tokenId), member.connectionId);
    },
    async leave(projectId, connectionId) {
      const held = byConnection.get(connectionId);
      if (held?.member.projectId === projectId) forget(held);
    },
    async enter(projectId, connectionId, channelId) {
      const held = byConnection.get(connectionId);
      if (held?.member.projectId !== projectId) return;
      held.channelIds.add(channelId);
      addTo(byChannel, keyOf(projectId, channelId), connectionId);
    },
    async exit(projectId, connectionId, channelId) {
      const held = byConnection.get(connectionId);
      if (held?.member.projectId !== projectId) return;
      held.channelIds.delete(channelId);
      removeFrom(byChannel, keyOf(projectId, channelId), connectionId);
    },
    ofToken: async (projectId, tokenId) => membersOf(byToken, projectId, tokenId),
    async ofChannel(projectId, channelId, { after = '', limit }) {
      return membersOf(byChannel, projectId, channelId)
        .filter((member) => member.connectionId > after)
        .sort((a, b) => (a.connectionId < b.connectionId ? -1 : 1))
        .slice(0, limit);
    },
    countOfChannel: async (projectId, channelId) => membersOf(byChannel, projectId, channelId).length,
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
      return lapsed.map(({ member, channelIds }) => ({ member, channelIds: [...channelIds] }));
    },
  };
}

/** Project ids hold no line end, so two projects never share a key. */
const keyOf = (projectId: string, id: string) => `${projectId}\n${id}`;

function addTo(index: Map<string, Set<string>>, key: string, connectionId: string): void {
  const found = index.get(key);
  if (found) found.add(connectionId);
  else index.set(key, new Set([connectionId]));
}

function removeFrom(index: Map<string, Set<string>>, key: string, connectionId: string): void {
  const found = index.get(key);
  if (found?.delete(connectionId) && found.size === 0) index.delete(key);
}
