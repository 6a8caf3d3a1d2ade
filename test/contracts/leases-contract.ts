import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Leases } from '../../src/broker/leases.ts';
import { createManualClock, type ManualClock } from '../support/clock.ts';
import { LEASE_MS, member, Model, PROJECTS, run, snapshot, sorted, step } from './leases-model.ts';

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
      expect(await leases.onlineTokens('one', { limit: 9 })).toEqual(['token_1']);
      await clock.advance(1);
      expect(await leases.onlineTokens('one', { limit: 9 })).toEqual([]);
      expect(await leases.ofToken('one', 'token_1')).toEqual([]);
      expect(await leases.find('one', 'conn_1')).toBeUndefined();
      await leases.renew('n', LEASE_MS);
      expect(await leases.onlineTokens('one', { limit: 9 })).toEqual(['token_1']);
    });

    test('renewing the lease of one node does not extend the lease of another node', async () => {
      const { clock, leases } = await createLeases();
      await leases.renew('dead', LEASE_MS);
      await leases.addConnection(member('conn_1', { nodeId: 'dead', tokenId: 'token_dead' }));
      await leases.addConnection(member('conn_2', { tokenId: 'token_alive' }));
      await clock.advance(LEASE_MS - 1);
      await leases.renew('n', LEASE_MS);
      await clock.advance(1);
      expect(await leases.onlineTokens('one', { limit: 9 })).toEqual(['token_alive']);
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
      expect(await leases.onlineTokens('one', { limit: 9 })).toEqual(['token_1']);
      await leases.removeConnection('one', 'conn_2');
      expect(await leases.onlineTokens('one', { limit: 9 })).toEqual([]);
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
        onlineAmong: [],
        tokens: [[], []],
        identities: [[], []],
        channels: [[], []],
        found: [],
        channelsOfConnections: [[], [], [], [], []],
      });
      expect(await leases.ofChannel('one', 'lobby', { limit: 9 })).toEqual([joined]);
      expect(await leases.countOfChannel('one', 'attic')).toBe(0);
      expect(await leases.isIn('one', 'conn_1', 'lobby')).toBe(true);
    });

    test('isIn is true while a connection is online and has not left the channel', async () => {
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
