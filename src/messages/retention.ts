import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Broker } from '../broker/broker.ts';
import { channelAddress, channelOf, type Address } from '../broker/message.ts';
import { type Channel } from '../channels/channel.ts';
import { every, type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { type AddressKey } from './log/address-store.ts';
import { type LogStore } from './log/log-store.ts';

/** Removes messages that exceed the retention of the service or the history policy of their channel. */
export interface Retention extends AsyncDisposable {
  /**
   * Removes everything that exceeds its retention at the time of the call. Also runs every `purgeIntervalMs`; concurrent
   * calls share one purge.
   */
  purge(): Promise<void>;
}

/** Messages examined per step. The event loop runs between steps, so a large purge does not block it. */
const STEP_SIZE = 500;
const ADDRESS_PAGE_SIZE = 500;

export function createRetention(deps: {
  log: LogStore;
  broker: Broker;
  findChannel: (projectId: string, id: string) => Promise<Channel | undefined>;
  clock: Clock;
  config: Config;
  onFault: (error: unknown) => void;
}): Retention {
  const { log, broker, findChannel, clock, config, onFault } = deps;
  let running: Promise<void> | undefined;
  let isDisposed = false;
  /** Addresses of channels with a shorter retention than the service; their messages expire without new publishes. */
  const withShorterAge = new Map<string, AddressKey>();
  /** Addresses whose channel was updated or deleted since the last purge. */
  const changed = new Map<string, AddressKey>();
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

  async function runInSteps(step: () => number): Promise<void> {
    while (!isDisposed && step() > 0) await nextTurn();
  }

  async function purgeAddress(projectId: string, address: Address): Promise<void> {
    const channelId = channelOf(address);
    const channel = channelId === null ? undefined : await findChannel(projectId, channelId);
    const key = `${projectId}\n${address}`;
    const seconds = channel?.historySeconds ?? config.retentionSeconds;
    if (seconds < config.retentionSeconds) withShorterAge.set(key, { projectId, address });
    else withShorterAge.delete(key);
    // Messages of a deleted channel are removed, so that a new channel with the same id never exposes them.
    const isOrphan = channelId !== null && !channel;
    const keep = isOrphan ? 0 : (channel?.historyMessages ?? config.retentionMessages);
    const before = clock.now() - seconds * 1000;
    const through = channel?.createdAfter ?? 0;
    const from = log.oldestKept(projectId, address, keep);
    await runInSteps(() => log.trim(projectId, address, { from, before, through }, STEP_SIZE));
    // Yield even when nothing was removed: a purge may visit many addresses.
    await nextTurn();
  }

  async function purgeAll(): Promise<void> {
    await runInSteps(() => log.removeExpiredKeys(clock.now(), STEP_SIZE));
    const before = clock.now() - config.retentionSeconds * 1000;
    for (const projectId of log.listProjects())
      await runInSteps(() => log.trimAge(projectId, before, STEP_SIZE));
    const due = new Map([
      ...withShorterAge,
      ...changed,
      ...log
        .takeDirtyAddresses()
        .map(({ projectId, address }) => [`${projectId}\n${address}`, { projectId, address }] as const),
    ]);
    try {
      for (const [key, { projectId, address }] of due) {
        if (isDisposed) return;
        changed.delete(key);
        await purgeAddress(projectId, address);
        due.delete(key);
      }
    } catch (error) {
      // takeDirtyAddresses returns an address only once, so keep the remaining addresses for the next purge.
      for (const [key, entry] of due) changed.set(key, entry);
      throw error;
    }
    if (!hasFullScan) await purgeAllAddresses();
    hasFullScan = true;
  }

  /** Runs once per process, because dirty addresses of earlier processes are not recorded. */
  async function purgeAllAddresses(): Promise<void> {
    let after = { projectId: '', address: '' };
    for (;;) {
      const page = log.listAddresses(after, ADDRESS_PAGE_SIZE);
      for (const { projectId, address } of page) await purgeAddress(projectId, address);
      const last = page.at(-1);
      if (isDisposed || !last) return;
      after = last;
    }
  }

  function purge(): Promise<void> {
    running ??= purgeAll().finally(() => (running = undefined));
    return running;
  }

  const timer = every(clock, config.purgeIntervalMs, () => void purge().catch(onFault));

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
