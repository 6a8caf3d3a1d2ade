import { type Broker } from '../broker/broker.ts';
import { channelAddress, channelOf, type Address } from '../broker/message.ts';
import { type Channel } from '../channels/channel.ts';
import { type ClockHistory } from '../clock-history.ts';
import { every, type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { SLICE_MS, Slices } from '../slices.ts';
import { IDEMPOTENCY_SECONDS } from './draft.ts';
import { type AddressKey } from './log/address-store.ts';
import { createLogAges } from './log-ages.ts';
import { type RetentionLog } from './log/retention-log.ts';
import { type SweepDuty } from './log/sweeping-node.ts';
import { type Trim } from './log/trim-store.ts';

/** Removes messages that exceed the retention of the service or the history policy of their channel. */
export interface Retention extends AsyncDisposable {
  /**
   * Removes everything that exceeds its retention at the time of the call. Also runs every `purgeIntervalMs`. Calls
   * during a purge share the next one.
   */
  purge(): Promise<void>;
}

/**
 * Rows that one transaction removes. It adapts so that a step takes about the share of one turn: a large step costs less per
 * row, because neighbours share a page of the file, and how much a turn can remove depends on the size of the messages.
 */
const STEP_ROWS = { first: 128, min: 32, max: 1024 };
/** Addresses whose messages are removed together, because addresses with few messages would cost a transaction each. */
const ADDRESSES_PER_TRIM = 100;
/** How long a jump of the system clock removes no idempotency keys, in milliseconds: as long as a key is remembered. */
const KEY_HOLD_MS = IDEMPOTENCY_SECONDS * 1000;
const ADDRESS_PAGE_SIZE = 500;
const SWEEPS_ALONE: SweepDuty = { isSweeper: true, hasNodeLeft: false };

export function createRetention(deps: {
  log: RetentionLog;
  broker: Broker;
  /** Returns up to `limit` unused pages of the file to the disk. Returns the number of pages. */
  reclaimSpace: (limit: number) => number;
  findChannel: (projectId: string, id: string) => Promise<Channel | undefined>;
  clock: Clock;
  clockHistory: ClockHistory;
  config: Config;
  /** Called after each purge with the number of rows that it removed and its duration, for metrics. */
  onPurged: (rows: number, seconds: number) => void;
  onFault: (error: unknown) => void;
}): Retention {
  const { log, broker, reclaimSpace, findChannel, clock, clockHistory, config, onPurged, onFault } = deps;
  const ages = createLogAges(log, clockHistory);
  let running: Promise<void> | undefined;
  /** The purge after the running one, for calls that it does not cover. */
  let next: Promise<void> | undefined;
  let isDisposed = false;
  /** Rows that the running purge has removed. */
  let removedRows = 0;
  /** Addresses of channels with a shorter retention than the service; their messages expire without new publishes. */
  const withShorterAge = new Map<string, AddressKey>();
  /** Addresses whose channel was updated or deleted since the last purge. */
  const changed = new Map<string, AddressKey>();
  /** Whether this node has scanned all addresses since it became the sweeper and since a node left. */
  let hasFullScan = false;

  function markChanged(projectId: string, channelId: string): void {
    const address = channelAddress(channelId);
    changed.set(`${projectId}\n${address}`, { projectId, address });
  }

  const subscription = broker.listen({
    applySignal(signal) {
      if (signal.kind === 'CHANNEL_UPDATED') markChanged(signal.projectId, signal.channel.id);
      if (signal.kind === 'CHANNEL_DELETED') markChanged(signal.projectId, signal.channelId);
      return 0;
    },
  });

  /** Repeats `step`, which removes up to `limit` rows in one transaction, until it removes none. */
  async function runInSteps(step: (limit: number) => number | Promise<number>): Promise<void> {
    const slices = new Slices();
    let { first: limit } = STEP_ROWS;
    while (!isDisposed) {
      const startedAt = performance.now();
      const removing = step(limit);
      const took = performance.now() - startedAt;
      const removed = await removing;
      if (removed === 0) return;
      removedRows += removed;
      if (took > SLICE_MS) limit = Math.max(STEP_ROWS.min, limit / 2);
      else if (took < SLICE_MS / 3) limit = Math.min(STEP_ROWS.max, limit * 2);
      await slices.nextTurn();
    }
  }

  /** The messages of an address that exceed its history policy. */
  async function findTrim(projectId: string, address: Address): Promise<Trim> {
    const channelId = channelOf(address);
    if (channelId === null) return findTrimOf(undefined, projectId, address);
    let channel = await findChannel(projectId, channelId);
    for (;;) {
      const trim = await findTrimOf(channel, projectId, address);
      // The channel may have been deleted meanwhile, and one with the same id created and published to.
      await broker.untilLive();
      const channelNow = await findChannel(projectId, channelId);
      if (haveSameHistory(channel, channelNow)) return trim;
      channel = channelNow;
    }
  }

  async function findTrimOf(
    channel: Channel | undefined,
    projectId: string,
    address: Address,
  ): Promise<Trim> {
    const key = `${projectId}\n${address}`;
    const seconds = channel?.historySeconds ?? config.retentionSeconds;
    const isShorter = seconds < config.retentionSeconds;
    if (isShorter) withShorterAge.set(key, { projectId, address });
    else withShorterAge.delete(key);
    // Messages of a deleted channel are removed, so that a new channel with the same id never exposes them.
    const isOrphan = channelOf(address) !== null && !channel;
    const keep = isOrphan ? 0 : (channel?.historyMessages ?? config.retentionMessages);
    const through = Math.max(
      channel?.createdAfter ?? 0,
      await log.excessThrough(projectId, address, keep),
      // Messages beyond the retention of the service have been removed from the whole project.
      isShorter ? await ages.agedThrough(projectId, seconds * 1000, address) : 0,
    );
    return { projectId, address, through };
  }

  async function purgeAddresses(keys: Iterable<AddressKey>): Promise<void> {
    const slices = new Slices();
    let trims: Trim[] = [];
    const flush = async () => {
      await runInSteps((limit) => log.trim(trims, limit));
      trims = [];
    };
    for (const { projectId, address } of keys) {
      if (isDisposed) return;
      const trim = await findTrim(projectId, address);
      if (trim.through > (await log.trimmedThrough(projectId, address))) trims.push(trim);
      if (trims.length >= ADDRESSES_PER_TRIM) await flush();
      if (slices.shouldYield()) await slices.nextTurn();
    }
    if (trims.length > 0) await flush();
  }

  async function purgeAll(): Promise<void> {
    const startedAt = performance.now();
    removedRows = 0;
    const { isSweeper, hasNodeLeft } = (await log.sweepDuty?.()) ?? SWEEPS_ALONE;
    // Before anything can fail, because sweepDuty reports a node that has left only once. A node that becomes the sweeper again must
    // scan all addresses, too: it does not know those that other nodes, which have left since, had published to.
    if (hasNodeLeft || !isSweeper) hasFullScan = false;
    if (isSweeper) await purgeByAge();
    const due = new Map([
      ...withShorterAge,
      ...changed,
      ...log
        .takeDirtyAddresses()
        .map(({ projectId, address }) => [`${projectId}\n${address}`, { projectId, address }] as const),
    ]);
    changed.clear();
    try {
      await purgeAddresses(due.values());
    } catch (error) {
      // takeDirtyAddresses returns an address only once, so keep them for the next purge.
      for (const [key, entry] of due) changed.set(key, entry);
      throw error;
    }
    if (isSweeper && !hasFullScan) {
      await purgeAllAddresses();
      hasFullScan = true;
    }
    onPurged(removedRows, (performance.now() - startedAt) / 1000);
    await runInSteps(reclaimSpace);
  }

  async function purgeByAge(): Promise<void> {
    await runInSteps((limit) => log.removeExpiredKeys(clockHistory.settledNow(KEY_HOLD_MS), limit));
    for (const projectId of await log.listProjects()) {
      const through = await ages.agedThrough(projectId, config.retentionSeconds * 1000);
      if (through > 0) await runInSteps((limit) => log.trimProject(projectId, through, limit));
    }
    await runInSteps((limit) => log.removeEndedLanes?.(limit) ?? 0);
  }

  /** Runs once per process, and when a node has left, because the dirty addresses of other processes are not recorded. */
  async function purgeAllAddresses(): Promise<void> {
    let after = { projectId: '', address: '' };
    for (;;) {
      const page = await log.listAddresses(after, ADDRESS_PAGE_SIZE);
      await purgeAddresses(page);
      const last = page.at(-1);
      if (isDisposed || !last) return;
      after = last;
    }
  }

  function purge(): Promise<void> {
    if (running) {
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = undefined;
          return purge();
        });
      return next;
    }
    running = purgeAll().finally(() => (running = undefined));
    return running;
  }

  const timer = every(clock, config.purgeIntervalMs, () => void (running ?? purge()).catch(onFault));

  return {
    purge,
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      timer[Symbol.dispose]();
      subscription[Symbol.dispose]();
      await running?.catch(() => undefined);
    },
  };
}

/** Whether two reads of a channel id found the same channel with the same history policy. */
function haveSameHistory(a: Channel | undefined, b: Channel | undefined): boolean {
  return (
    a?.createdAt === b?.createdAt &&
    a?.createdAfter === b?.createdAfter &&
    a?.instance === b?.instance &&
    a?.historyMessages === b?.historyMessages &&
    a?.historySeconds === b?.historySeconds
  );
}
