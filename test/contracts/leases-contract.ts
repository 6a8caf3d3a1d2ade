import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Leases, type Member } from '../../src/broker/leases.ts';
import { createManualClock, type ManualClock } from '../support/clock.ts';

const LEASE_MS = 10_000;

/** What leases are everywhere; see Leases. `make` begins without any, on the clock it is given. */
export function leasesContract(name: string, make: (clock: ManualClock) => Leases | Promise<Leases>): void {
  /** Leases with node `n` alive. */
  async function begin() {
    const clock = createManualClock();
    const leases = await make(clock);
    await leases.renew('n', LEASE_MS);
    return { clock, leases };
  }

  describe(`${name} are leases`, () => {
    test('whatever happens in whatever order, they know who is here, where, and who is gone', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
          const clock = createManualClock();
          const leases = await make(clock);
          const model = new Model(clock);
          for (const taken of steps) {
            expect(sorted(await take(taken, leases, clock))).toEqual(sorted(model.take(taken)));
            for (const projectId of PROJECTS) {
              expect(await look(leases, projectId)).toEqual(model.look(projectId));
            }
          }
        }),
        { numRuns: 200 },
      );
    });

    test('a connection counts until the lease of its node is over, no later, and again after a renewal', async () => {
      const { clock, leases } = await begin();
      await leases.join(member('conn_1'));
      await clock.advance(LEASE_MS - 1);
      expect(await leases.onlineTokens('one')).toEqual(['token_1']);
      await clock.advance(1);
      expect(await leases.onlineTokens('one')).toEqual([]);
      expect(await leases.ofToken('one', 'token_1')).toEqual([]);
      expect(await leases.find('one', 'conn_1')).toBeUndefined();
      await leases.renew('n', LEASE_MS);
      expect(await leases.onlineTokens('one')).toEqual(['token_1']);
    });

    test('renewing one node says nothing of another', async () => {
      const { clock, leases } = await begin();
      await leases.renew('dead', LEASE_MS);
      await leases.join(member('conn_1', { nodeId: 'dead', tokenId: 'token_dead' }));
      await leases.join(member('conn_2', { tokenId: 'token_alive' }));
      await clock.advance(LEASE_MS - 1);
      await leases.renew('n', LEASE_MS);
      await clock.advance(1);
      expect(await leases.onlineTokens('one')).toEqual(['token_alive']);
    });

    test('what lapsed is told once, with the channels it was in, and stays gone', async () => {
      const { clock, leases } = await begin();
      const gone = member('conn_1');
      await leases.join(gone);
      for (const channelId of ['attic', 'lobby', 'cellar']) await leases.enter('one', 'conn_1', channelId);
      await leases.exit('one', 'conn_1', 'cellar');
      expect(await leases.lapse()).toEqual([]);
      await clock.advance(LEASE_MS);
      const [lapsed, ...others] = await leases.lapse();
      expect(others).toEqual([]);
      expect(lapsed?.member).toEqual(gone);
      expect(lapsed?.channelIds.sort()).toEqual(['attic', 'lobby']);
      expect(await leases.lapse()).toEqual([]);
      await leases.renew('n', LEASE_MS);
      expect(await leases.find('one', 'conn_1')).toBeUndefined();
      expect(await leases.countOfChannel('one', 'lobby')).toBe(0);
    });

    test('joining, entering, exiting and leaving again changes nothing', async () => {
      const { leases } = await begin();
      for (const _ of ['first', 'again']) {
        await leases.join(member('conn_1'));
        await leases.enter('one', 'conn_1', 'lobby');
      }
      expect(await leases.ofToken('one', 'token_1')).toHaveLength(1);
      expect(await leases.countOfChannel('one', 'lobby')).toBe(1);
      for (const _ of ['first', 'again']) {
        await leases.exit('one', 'conn_1', 'lobby');
        expect(await leases.countOfChannel('one', 'lobby')).toBe(0);
      }
      for (const _ of ['first', 'again']) {
        await leases.leave('one', 'conn_1');
        expect(await leases.ofToken('one', 'token_1')).toEqual([]);
      }
    });

    test('joining again replaces what is shown, and the connection stays where it was', async () => {
      const { leases } = await begin();
      await leases.join(member('conn_1'));
      await leases.enter('one', 'conn_1', 'lobby');
      const shown = member('conn_1', { state: { mood: 'fine' } });
      await leases.join(shown);
      expect(await leases.find('one', 'conn_1')).toEqual(shown);
      expect(await leases.ofChannel('one', 'lobby', { limit: 9 })).toEqual([shown]);
    });

    test('leaving is leaving everywhere, and one device gone leaves the others', async () => {
      const { leases } = await begin();
      for (const id of ['conn_1', 'conn_2']) {
        await leases.join(member(id));
        await leases.enter('one', id, 'lobby');
      }
      await leases.leave('one', 'conn_1');
      expect((await leases.ofToken('one', 'token_1')).map(({ connectionId }) => connectionId)).toEqual([
        'conn_2',
      ]);
      expect(await leases.countOfChannel('one', 'lobby')).toBe(1);
      expect(await leases.onlineTokens('one')).toEqual(['token_1']);
      await leases.leave('one', 'conn_2');
      expect(await leases.onlineTokens('one')).toEqual([]);
      // Who was gone when it came back is in no channel.
      await leases.join(member('conn_2'));
      expect(await leases.countOfChannel('one', 'lobby')).toBe(0);
    });

    test('projects are walls: nothing of one is seen, moved or ended from another', async () => {
      const { leases } = await begin();
      const mine = member('conn_1');
      await leases.join(mine);
      await leases.enter('one', 'conn_1', 'lobby');
      await leases.leave('two', 'conn_1');
      await leases.exit('two', 'conn_1', 'lobby');
      await leases.enter('two', 'conn_1', 'attic');
      expect(await look(leases, 'two')).toEqual({
        online: [],
        tokens: [[], []],
        channels: [[], []],
        found: [],
        places: [[], [], [], []],
      });
      expect(await leases.ofChannel('one', 'lobby', { limit: 9 })).toEqual([mine]);
      expect(await leases.countOfChannel('one', 'attic')).toBe(0);
      expect(await leases.isIn('one', 'conn_1', 'lobby')).toBe(true);
    });

    test('a connection is in a channel for as long as it is here and has not gone out of it', async () => {
      const { clock, leases } = await begin();
      const isIn = (channelId: string) => leases.isIn('one', 'conn_1', channelId);
      await leases.join(member('conn_1'));
      expect(await isIn('lobby')).toBe(false);
      await leases.enter('one', 'conn_1', 'lobby');
      expect([await isIn('lobby'), await isIn('attic')]).toEqual([true, false]);
      await clock.advance(LEASE_MS);
      expect(await isIn('lobby')).toBe(false);
      await leases.renew('n', LEASE_MS);
      expect(await isIn('lobby')).toBe(true);
      await leases.exit('one', 'conn_1', 'lobby');
      expect(await isIn('lobby')).toBe(false);
    });

    test('a channel is read page by page, in the order of ids, each connection once', async () => {
      const { leases } = await begin();
      const ids = fc.uniqueArray(fc.stringMatching(/^conn_[a-z0-9]{1,4}$/), { maxLength: 30, size: 'max' });
      await fc.assert(
        fc.asyncProperty(ids, fc.integer({ min: 1, max: 7 }), async (connectionIds, limit) => {
          for (const id of connectionIds) {
            await leases.join(member(id));
            await leases.enter('one', id, 'lobby');
          }
          const seen: string[] = [];
          for (let isLast = false; !isLast && seen.length <= connectionIds.length;) {
            const page = await leases.ofChannel('one', 'lobby', { after: seen.at(-1), limit });
            seen.push(...page.map(({ connectionId }) => connectionId));
            isLast = page.length < limit;
          }
          expect(seen).toEqual([...connectionIds].sort());
          for (const id of connectionIds) await leases.leave('one', id);
        }),
        { numRuns: 50 },
      );
    });
  });
}

const PROJECTS = ['one', 'two'] as const;
const NODES = ['n', 'm'] as const;
const TOKENS = ['token_1', 'token_2'] as const;
const CHANNELS = ['lobby', 'attic'] as const;
/** A connection belongs to one node, project and token for life. */
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
  | { kind: 'join'; member: Member; state: number }
  | { kind: 'leave'; projectId: string; member: Member }
  | { kind: 'enter' | 'exit'; projectId: string; member: Member; channelId: string }
  | { kind: 'lapse' };

const anyProject = fc.constantFrom(...PROJECTS);
const anyMember = fc.constantFrom(...CONNECTIONS);
const move = { projectId: anyProject, member: anyMember, channelId: fc.constantFrom(...CHANNELS) };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('renew'), nodeId: fc.constantFrom(...NODES) }),
  fc.record({ kind: fc.constant('advance'), ms: fc.constantFrom(1, LEASE_MS / 2, LEASE_MS - 1, LEASE_MS) }),
  fc.record({ kind: fc.constant('join'), member: anyMember, state: fc.nat(3) }),
  fc.record({ kind: fc.constant('leave'), projectId: anyProject, member: anyMember }),
  fc.record({ kind: fc.constant('enter'), ...move }),
  fc.record({ kind: fc.constant('exit'), ...move }),
  fc.record({ kind: fc.constant('lapse') }),
);

type Lapsed = Awaited<ReturnType<Leases['lapse']>>;

async function take(taken: Step, leases: Leases, clock: ManualClock): Promise<Lapsed> {
  switch (taken.kind) {
    case 'renew':
      await leases.renew(taken.nodeId, LEASE_MS);
      break;
    case 'advance':
      await clock.advance(taken.ms);
      break;
    case 'join':
      await leases.join({ ...taken.member, state: taken.state });
      break;
    case 'leave':
      await leases.leave(taken.projectId, taken.member.connectionId);
      break;
    case 'enter':
    case 'exit':
      await leases[taken.kind](taken.projectId, taken.member.connectionId, taken.channelId);
      break;
    case 'lapse':
      return leases.lapse();
  }
  return [];
}

async function look(leases: Leases, projectId: string) {
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
  const places = await Promise.all(CONNECTIONS.map((one) => placesOf(leases, projectId, one)));
  return {
    online: await leases.onlineTokens(projectId),
    tokens: tokens.map(byId),
    channels,
    found: found.filter((here) => here !== undefined),
    places,
  };
}

async function placesOf(leases: Leases, projectId: string, { connectionId }: Member): Promise<string[]> {
  const places: string[] = [];
  for (const channelId of CHANNELS)
    if (await leases.isIn(projectId, connectionId, channelId)) places.push(channelId);
  return places;
}

/** The same said plainly: a list of who joined, and when each node's lease ends. */
class Model {
  readonly #clock: ManualClock;
  readonly #ends = new Map<string, number>();
  #joined: { member: Member; channelIds: string[] }[] = [];

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  take(taken: Step): Lapsed {
    const known = 'member' in taken ? this.#joined.find(isOf(taken.member)) : undefined;
    const isInProject = known && 'projectId' in taken && known.member.projectId === taken.projectId;
    switch (taken.kind) {
      case 'renew':
        this.#ends.set(taken.nodeId, this.#clock.now() + LEASE_MS);
        break;
      case 'join': {
        const shown = { ...taken.member, state: taken.state };
        if (known) known.member = shown;
        else this.#joined.push({ member: shown, channelIds: [] });
        break;
      }
      case 'leave':
        if (isInProject) this.#joined = this.#joined.filter((one) => one !== known);
        break;
      case 'enter':
      case 'exit':
        if (!isInProject) break;
        known.channelIds = known.channelIds.filter((id) => id !== taken.channelId);
        if (taken.kind === 'enter') known.channelIds.push(taken.channelId);
        break;
      case 'lapse': {
        const lapsed = this.#joined.filter((one) => !this.#isHere(one.member));
        this.#joined = this.#joined.filter((one) => this.#isHere(one.member));
        return lapsed;
      }
      case 'advance':
    }
    return [];
  }

  look(projectId: string) {
    const here = this.#joined.filter(({ member: one }) => one.projectId === projectId && this.#isHere(one));
    const of = (fits: (one: (typeof here)[number]) => boolean) =>
      byId(here.filter(fits).map((one) => one.member));
    const tokens = TOKENS.map((tokenId) => of((one) => one.member.tokenId === tokenId));
    return {
      online: TOKENS.filter((_, index) => tokens[index]!.length > 0),
      tokens,
      channels: CHANNELS.map((channelId) => of((one) => one.channelIds.includes(channelId))),
      found: of(() => true),
      places: CONNECTIONS.map((one) => {
        const known = here.find(isOf(one));
        return CHANNELS.filter((channelId) => known?.channelIds.includes(channelId));
      }),
    };
  }

  #isHere({ nodeId }: Member): boolean {
    return this.#clock.now() < (this.#ends.get(nodeId) ?? 0);
  }
}

const isOf =
  ({ connectionId }: Member) =>
  ({ member: one }: { member: Member }) =>
    one.connectionId === connectionId;

const byId = (members: Member[]) => [...members].sort((a, b) => (a.connectionId < b.connectionId ? -1 : 1));

const sorted = (lapsed: Lapsed) =>
  lapsed
    .map(({ member: one, channelIds }) => ({ member: one, channelIds: [...channelIds].sort() }))
    .sort((a, b) => (a.member.connectionId < b.member.connectionId ? -1 : 1));
