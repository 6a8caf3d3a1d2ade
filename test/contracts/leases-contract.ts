import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Leases, type Member } from '../../src/broker/leases.ts';
import { createManualClock, type ManualClock } from '../support/clock.ts';

const LEASE_MS = 10_000;

/**
 * The behavior of every implementation of Leases.
 * @param make creates empty leases on the given clock
 * @param share the share of the runs of each property, for an implementation that is slow
 */
export function leasesContract(
  name: string,
  make: (clock: ManualClock) => Leases | Promise<Leases>,
  share = 1,
): void {
  /** Creates leases in which node `n` holds a lease. */
  async function createLeases() {
    const clock = createManualClock();
    const leases = await make(clock);
    await leases.renew('n', LEASE_MS);
    return { clock, leases };
  }

  describe(`${name} implement Leases`, () => {
    test('leases match the model of online tokens, channels and lapsed connections after any sequence of operations', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
          const clock = createManualClock();
          const leases = await make(clock);
          const model = new Model(clock);
          for (const current of steps) {
            expect(sorted(await run(current, leases, clock))).toEqual(sorted(model.run(current)));
            for (const projectId of PROJECTS) {
              expect(await snapshot(leases, projectId)).toEqual(model.snapshot(projectId));
            }
          }
        }),
        { numRuns: Math.ceil(200 * share) },
      );
    });

    test('a connection is online until the lease of its node expires, and again when the lease is renewed', async () => {
      const { clock, leases } = await createLeases();
      await leases.addConnection(member('conn_1'));
      await clock.advance(LEASE_MS - 1);
      expect(await leases.onlineTokens('one')).toEqual(['token_1']);
      await clock.advance(1);
      expect(await leases.onlineTokens('one')).toEqual([]);
      expect(await leases.ofToken('one', 'token_1')).toEqual([]);
      expect(await leases.find('one', 'conn_1')).toBeUndefined();
      await leases.renew('n', LEASE_MS);
      expect(await leases.onlineTokens('one')).toEqual(['token_1']);
    });

    test('renewing the lease of one node does not extend the lease of another node', async () => {
      const { clock, leases } = await createLeases();
      await leases.renew('dead', LEASE_MS);
      await leases.addConnection(member('conn_1', { nodeId: 'dead', tokenId: 'token_dead' }));
      await leases.addConnection(member('conn_2', { tokenId: 'token_alive' }));
      await clock.advance(LEASE_MS - 1);
      await leases.renew('n', LEASE_MS);
      await clock.advance(1);
      expect(await leases.onlineTokens('one')).toEqual(['token_alive']);
    });

    test('lapse returns an expired connection once, with its channels, and the connection stays removed', async () => {
      const { clock, leases } = await createLeases();
      const expired = member('conn_1');
      await leases.addConnection(expired);
      for (const channelId of ['attic', 'lobby', 'cellar'])
        await leases.joinChannel('one', 'conn_1', channelId);
      await leases.leaveChannel('one', 'conn_1', 'cellar');
      expect(await leases.lapse()).toEqual([]);
      await clock.advance(LEASE_MS);
      const [lapsed, ...others] = await leases.lapse();
      expect(others).toEqual([]);
      expect(lapsed?.member).toEqual(expired);
      expect(lapsed?.channelIds.sort()).toEqual(['attic', 'lobby']);
      expect(await leases.lapse()).toEqual([]);
      await leases.renew('n', LEASE_MS);
      expect(await leases.find('one', 'conn_1')).toBeUndefined();
      expect(await leases.countOfChannel('one', 'lobby')).toBe(0);
    });

    test('addConnection, joinChannel, leaveChannel and removeConnection are idempotent', async () => {
      const { leases } = await createLeases();
      for (const _ of ['first', 'again']) {
        await leases.addConnection(member('conn_1'));
        await leases.joinChannel('one', 'conn_1', 'lobby');
      }
      expect(await leases.ofToken('one', 'token_1')).toHaveLength(1);
      expect(await leases.countOfChannel('one', 'lobby')).toBe(1);
      for (const _ of ['first', 'again']) {
        await leases.leaveChannel('one', 'conn_1', 'lobby');
        expect(await leases.countOfChannel('one', 'lobby')).toBe(0);
      }
      for (const _ of ['first', 'again']) {
        await leases.removeConnection('one', 'conn_1');
        expect(await leases.ofToken('one', 'token_1')).toEqual([]);
      }
    });

    test('joining again replaces the member and keeps its channels', async () => {
      const { leases } = await createLeases();
      await leases.addConnection(member('conn_1'));
      await leases.joinChannel('one', 'conn_1', 'lobby');
      const updated = member('conn_1', { state: { mood: 'fine' } });
      await leases.addConnection(updated);
      expect(await leases.find('one', 'conn_1')).toEqual(updated);
      expect(await leases.ofChannel('one', 'lobby', { limit: 9 })).toEqual([updated]);
    });

    test('removeConnection removes a connection from all channels and keeps other connections of its token', async () => {
      const { leases } = await createLeases();
      for (const id of ['conn_1', 'conn_2']) {
        await leases.addConnection(member(id));
        await leases.joinChannel('one', id, 'lobby');
      }
      await leases.removeConnection('one', 'conn_1');
      expect((await leases.ofToken('one', 'token_1')).map(({ connectionId }) => connectionId)).toEqual([
        'conn_2',
      ]);
      expect(await leases.countOfChannel('one', 'lobby')).toBe(1);
      expect(await leases.onlineTokens('one')).toEqual(['token_1']);
      await leases.removeConnection('one', 'conn_2');
      expect(await leases.onlineTokens('one')).toEqual([]);
      // A connection that left and joined again is in no channel.
      await leases.addConnection(member('conn_2'));
      expect(await leases.countOfChannel('one', 'lobby')).toBe(0);
    });

    test('connections of one project are neither visible nor changeable from another project', async () => {
      const { leases } = await createLeases();
      const joined = member('conn_1');
      await leases.addConnection(joined);
      await leases.joinChannel('one', 'conn_1', 'lobby');
      await leases.removeConnection('two', 'conn_1');
      await leases.leaveChannel('two', 'conn_1', 'lobby');
      await leases.joinChannel('two', 'conn_1', 'attic');
      expect(await snapshot(leases, 'two')).toEqual({
        listed: [],
        listedByToken: [[], []],
        listedByChannel: [[], []],
        online: [],
        tokens: [[], []],
        channels: [[], []],
        found: [],
        channelsOfConnections: [[], [], [], []],
      });
      expect(await leases.ofChannel('one', 'lobby', { limit: 9 })).toEqual([joined]);
      expect(await leases.countOfChannel('one', 'attic')).toBe(0);
      expect(await leases.isIn('one', 'conn_1', 'lobby')).toBe(true);
    });

    test('isIn is true while a connection is online and has not exited the channel', async () => {
      const { clock, leases } = await createLeases();
      const isIn = (channelId: string) => leases.isIn('one', 'conn_1', channelId);
      await leases.addConnection(member('conn_1'));
      expect(await isIn('lobby')).toBe(false);
      await leases.joinChannel('one', 'conn_1', 'lobby');
      expect([await isIn('lobby'), await isIn('attic')]).toEqual([true, false]);
      await clock.advance(LEASE_MS);
      expect(await isIn('lobby')).toBe(false);
      await leases.renew('n', LEASE_MS);
      expect(await isIn('lobby')).toBe(true);
      await leases.leaveChannel('one', 'conn_1', 'lobby');
      expect(await isIn('lobby')).toBe(false);
    });

    test('ofChannel returns each connection once, page by page, sorted by id', async () => {
      const { leases } = await createLeases();
      const ids = fc.uniqueArray(fc.stringMatching(/^conn_[a-z0-9]{1,4}$/), { maxLength: 30, size: 'max' });
      await fc.assert(
        fc.asyncProperty(ids, fc.integer({ min: 1, max: 7 }), async (connectionIds, limit) => {
          for (const id of connectionIds) {
            await leases.addConnection(member(id));
            await leases.joinChannel('one', id, 'lobby');
          }
          const found: string[] = [];
          for (let isLast = false; !isLast && found.length <= connectionIds.length;) {
            const page = await leases.ofChannel('one', 'lobby', { after: found.at(-1), limit });
            found.push(...page.map(({ connectionId }) => connectionId));
            isLast = page.length < limit;
          }
          expect(found).toEqual([...connectionIds].sort());
          for (const id of connectionIds) await leases.removeConnection('one', id);
        }),
        { numRuns: Math.ceil(50 * share) },
      );
    });
  });
}

const PROJECTS = ['one', 'two'] as const;
const NODES = ['n', 'm'] as const;
const TOKENS = ['token_1', 'token_2'] as const;
const CHANNELS = ['lobby', 'attic'] as const;
/** The node, project and token of a connection never change. */
const CONNECTIONS = [
  member('conn_0', { tokenId: 'token_1' }),
  member('conn_1', { tokenId: 'token_1', nodeId: 'm' }),
  member('conn_2', { tokenId: null, nodeId: 'm' }),
  member('conn_3', { tokenId: 'token_1', projectId: 'two' }),
];

function member(connectionId: string, over: Partial<Member> = {}): Member {
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
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('renew'), nodeId: fc.constantFrom(...NODES) }),
  fc.record({ kind: fc.constant('advance'), ms: fc.constantFrom(1, LEASE_MS / 2, LEASE_MS - 1, LEASE_MS) }),
  fc.record({ kind: fc.constant('addConnection'), member: anyMember, state: fc.nat(3) }),
  fc.record({ kind: fc.constant('removeConnection'), projectId: anyProject, member: anyMember }),
  fc.record({ kind: fc.constant('joinChannel'), ...move }),
  fc.record({ kind: fc.constant('leaveChannel'), ...move }),
  fc.record({ kind: fc.constant('lapse') }),
);

type Lapsed = Awaited<ReturnType<Leases['lapse']>>;

async function run(current: Step, leases: Leases, clock: ManualClock): Promise<Lapsed> {
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

async function snapshot(leases: Leases, projectId: string) {
  const channels = await Promise.all(
    CHANNELS.map(async (channelId) => {
      const members = await leases.ofChannel(projectId, channelId, { limit: 100 });
      expect(await leases.countOfChannel(projectId, channelId)).toBe(members.length);
      return members;
    }),
  );
  const tokens = await Promise.all(TOKENS.map((tokenId) => leases.ofToken(projectId, tokenId)));
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
    online: await leases.onlineTokens(projectId),
    tokens: tokens.map(byId),
    channels,
    found: found.filter((live) => live !== undefined),
    channelsOfConnections,
  };
}

const memberOf = ({ member }: { member: Member }) => member;

async function channelsOf(leases: Leases, projectId: string, { connectionId }: Member): Promise<string[]> {
  const channelIds: string[] = [];
  for (const channelId of CHANNELS)
    if (await leases.isIn(projectId, connectionId, channelId)) channelIds.push(channelId);
  return channelIds;
}

/** A reference implementation: a list of joined connections, and the end of each node's lease. */
class Model {
  readonly #clock: ManualClock;
  readonly #ends = new Map<string, number>();
  #joined: { member: Member; channelIds: string[] }[] = [];

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  run(current: Step): Lapsed {
    const known = 'member' in current ? this.#joined.find(isSameConnection(current.member)) : undefined;
    const isInProject = known && 'projectId' in current && known.member.projectId === current.projectId;
    switch (current.kind) {
      case 'renew':
        this.#ends.set(current.nodeId, this.#clock.now() + LEASE_MS);
        break;
      case 'addConnection': {
        const joined = { ...current.member, state: current.state };
        if (known) known.member = joined;
        else this.#joined.push({ member: joined, channelIds: [] });
        break;
      }
      case 'removeConnection':
        if (isInProject) this.#joined = this.#joined.filter((one) => one !== known);
        break;
      case 'joinChannel':
      case 'leaveChannel':
        if (!isInProject) break;
        known.channelIds = known.channelIds.filter((id) => id !== current.channelId);
        if (current.kind === 'joinChannel') known.channelIds.push(current.channelId);
        break;
      case 'lapse': {
        const lapsed = this.#joined.filter((one) => !this.#isLive(one.member));
        this.#joined = this.#joined.filter((one) => this.#isLive(one.member));
        return lapsed;
      }
      case 'advance':
    }
    return [];
  }

  snapshot(projectId: string) {
    const live = this.#joined.filter(({ member: one }) => one.projectId === projectId && this.#isLive(one));
    const of = (matches: (one: (typeof live)[number]) => boolean) =>
      byId(live.filter(matches).map((one) => one.member));
    const tokens = TOKENS.map((tokenId) => of((one) => one.member.tokenId === tokenId));
    const channels = CHANNELS.map((channelId) => of((one) => one.channelIds.includes(channelId)));
    return {
      listed: byId(live.map((one) => one.member)).map((member) => ({
        member,
        channelIds: live.find(isSameConnection(member))!.channelIds.toSorted(),
      })),
      listedByToken: tokens,
      listedByChannel: channels,
      online: TOKENS.filter((_, index) => tokens[index]!.length > 0),
      tokens,
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

const sorted = (lapsed: Lapsed) =>
  lapsed
    .map(({ member: one, channelIds }) => ({ member: one, channelIds: [...channelIds].sort() }))
    .sort((a, b) => (a.member.connectionId < b.member.connectionId ? -1 : 1));
