import fc from 'fast-check';
import { expect } from 'vitest';
import { type Leases, type Member } from '../../src/broker/leases.ts';
import { type ManualClock } from '../support/clock.ts';

export const LEASE_MS = 10_000;
export const PROJECTS = ['one', 'two'] as const;
const NODES = ['n', 'm'] as const;
const TOKENS = ['token_1', 'token_2'] as const;
const IDENTITIES = ['ada', 'eve'] as const;
const CHANNELS = ['lobby', 'attic'] as const;
/** The node, project, token and identity of a connection never change. */
const CONNECTIONS = [
  member('conn_0', { tokenId: 'token_1', identity: 'ada' }),
  member('conn_1', { tokenId: 'token_2', identity: 'ada', nodeId: 'm' }),
  member('conn_2', { tokenId: null, nodeId: 'm' }),
  member('conn_3', { tokenId: 'token_1', identity: 'ada', projectId: 'two' }),
  member('conn_4', { tokenId: 'token_1', identity: 'ada' }),
];

export function member(connectionId: string, over: Partial<Member> = {}): Member {
  return {
    connectionId,
    nodeId: 'n',
    projectId: 'one',
    tokenId: 'token_1',
    identity: null,
    connectionData: null,
    state: null,
    transport: 'WEBSOCKET',
    connectedAt: 1,
    ...over,
  };
}

type Step =
  | { kind: 'renew'; nodeId: string }
  | { kind: 'advance'; ms: number }
  | { kind: 'addConnection'; member: Member; state: number }
  | { kind: 'removeConnection'; projectId: string; member: Member }
  | { kind: 'joinChannel' | 'leaveChannel'; projectId: string; member: Member; channelId: string }
  | { kind: 'lapse' };

const anyProject = fc.constantFrom(...PROJECTS);
const anyMember = fc.constantFrom(...CONNECTIONS);
const move = { projectId: anyProject, member: anyMember, channelId: fc.constantFrom(...CHANNELS) };
export const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('renew'), nodeId: fc.constantFrom(...NODES) }),
  fc.record({ kind: fc.constant('advance'), ms: fc.constantFrom(1, LEASE_MS / 2, LEASE_MS - 1, LEASE_MS) }),
  fc.record({ kind: fc.constant('addConnection'), member: anyMember, state: fc.nat(3) }),
  fc.record({ kind: fc.constant('removeConnection'), projectId: anyProject, member: anyMember }),
  fc.record({ kind: fc.constant('joinChannel'), ...move }),
  fc.record({ kind: fc.constant('leaveChannel'), ...move }),
  fc.record({ kind: fc.constant('lapse') }),
);

type Lapsed = Awaited<ReturnType<Leases['lapse']>>;

export async function run(current: Step, leases: Leases, clock: ManualClock): Promise<Lapsed> {
  switch (current.kind) {
    case 'renew':
      await leases.renew(current.nodeId, LEASE_MS);
      break;
    case 'advance':
      await clock.advance(current.ms);
      break;
    case 'addConnection':
      await leases.addConnection({ ...current.member, state: current.state });
      break;
    case 'removeConnection':
      await leases.removeConnection(current.projectId, current.member.connectionId);
      break;
    case 'joinChannel':
    case 'leaveChannel':
      await leases[current.kind](current.projectId, current.member.connectionId, current.channelId);
      break;
    case 'lapse':
      return leases.lapse();
  }
  return [];
}

export async function snapshot(leases: Leases, projectId: string) {
  const channels = await Promise.all(
    CHANNELS.map(async (channelId) => {
      const members = await leases.ofChannel(projectId, channelId, { limit: 100 });
      expect(await leases.countOfChannel(projectId, channelId)).toBe(members.length);
      return members;
    }),
  );
  const tokens = await Promise.all(TOKENS.map((tokenId) => leases.ofToken(projectId, tokenId)));
  const identities = await Promise.all(IDENTITIES.map((identity) => leases.ofIdentity(projectId, identity)));
  const found = await Promise.all(
    CONNECTIONS.map(({ connectionId }) => leases.find(projectId, connectionId)),
  );
  const channelsOfConnections = await Promise.all(
    CONNECTIONS.map((one) => channelsOf(leases, projectId, one)),
  );
  const listed = await leases.list(projectId, {}, { limit: 100 });
  const listedByToken = await Promise.all(
    TOKENS.map(async (tokenId) => (await leases.list(projectId, { tokenId }, { limit: 100 })).map(memberOf)),
  );
  const listedByChannel = await Promise.all(
    CHANNELS.map(async (channelId) =>
      (await leases.list(projectId, { channelId }, { limit: 100 })).map(memberOf),
    ),
  );
  return {
    listed: listed.map(({ member, channelIds }) => ({ member, channelIds: channelIds.sort() })),
    listedByToken,
    listedByChannel,
    online: await pagesOf(leases, projectId),
    onlineAmong: [...(await leases.onlineAmong(projectId, [...TOKENS, 'token_unknown']))].sort(),
    tokens: tokens.map(byId),
    identities: identities.map(byId),
    channels,
    found: found.filter((live) => live !== undefined),
    channelsOfConnections,
  };
}

/** The ids of the tokens that are online, read one at a time. */
async function pagesOf(leases: Leases, projectId: string): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const [id] = await leases.onlineTokens(projectId, { after: ids.at(-1), limit: 1 });
    if (id === undefined) return ids;
    ids.push(id);
  }
}

const memberOf = ({ member }: { member: Member }) => member;

async function channelsOf(leases: Leases, projectId: string, { connectionId }: Member): Promise<string[]> {
  const channelIds: string[] = [];
  for (const channelId of CHANNELS)
    if (await leases.isIn(projectId, connectionId, channelId)) channelIds.push(channelId);
  return channelIds;
}

/** The reference implementation: a list of connections with their channels, and the end of each node's lease. */
export class Model {
  readonly #clock: ManualClock;
  readonly #ends = new Map<string, number>();
  #connections: { member: Member; channelIds: string[] }[] = [];

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  run(current: Step): Lapsed {
    const known = 'member' in current ? this.#connections.find(isSameConnection(current.member)) : undefined;
    const isInProject = known && 'projectId' in current && known.member.projectId === current.projectId;
    switch (current.kind) {
      case 'renew':
        this.#ends.set(current.nodeId, this.#clock.now() + LEASE_MS);
        break;
      case 'addConnection': {
        const added = { ...current.member, state: current.state };
        if (known) known.member = added;
        else this.#connections.push({ member: added, channelIds: [] });
        break;
      }
      case 'removeConnection':
        if (isInProject) this.#connections = this.#connections.filter((one) => one !== known);
        break;
      case 'joinChannel':
      case 'leaveChannel':
        if (!isInProject) break;
        known.channelIds = known.channelIds.filter((id) => id !== current.channelId);
        if (current.kind === 'joinChannel') known.channelIds.push(current.channelId);
        break;
      case 'lapse': {
        const lapsed = this.#connections.filter((one) => !this.#isLive(one.member));
        this.#connections = this.#connections.filter((one) => this.#isLive(one.member));
        return lapsed;
      }
      case 'advance':
    }
    return [];
  }

  snapshot(projectId: string) {
    const live = this.#connections.filter(
      ({ member: one }) => one.projectId === projectId && this.#isLive(one),
    );
    const of = (matches: (one: (typeof live)[number]) => boolean) =>
      byId(live.filter(matches).map((one) => one.member));
    const tokens = TOKENS.map((tokenId) => of((one) => one.member.tokenId === tokenId));
    const channels = CHANNELS.map((channelId) => of((one) => one.channelIds.includes(channelId)));
    const online = TOKENS.filter((_, index) => tokens[index]!.length > 0);
    return {
      listed: byId(live.map((one) => one.member)).map((member) => ({
        member,
        channelIds: live.find(isSameConnection(member))!.channelIds.toSorted(),
      })),
      listedByToken: tokens,
      listedByChannel: channels,
      online,
      onlineAmong: online,
      tokens,
      identities: IDENTITIES.map((identity) => of(({ member: one }) => one.identity === identity)),
      channels,
      found: of(() => true),
      channelsOfConnections: CONNECTIONS.map((one) => {
        const known = live.find(isSameConnection(one));
        return CHANNELS.filter((channelId) => known?.channelIds.includes(channelId));
      }),
    };
  }

  #isLive({ nodeId }: Member): boolean {
    return this.#clock.now() < (this.#ends.get(nodeId) ?? 0);
  }
}

const isSameConnection =
  ({ connectionId }: Member) =>
  ({ member: one }: { member: Member }) =>
    one.connectionId === connectionId;

const byId = (members: Member[]) => [...members].sort((a, b) => (a.connectionId < b.connectionId ? -1 : 1));

export const sorted = (lapsed: Lapsed) =>
  lapsed
    .map(({ member: one, channelIds }) => ({ member: one, channelIds: [...channelIds].sort() }))
    .sort((a, b) => (a.member.connectionId < b.member.connectionId ? -1 : 1));
