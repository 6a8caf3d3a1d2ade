import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Broker } from '../broker/broker.ts';
import { channelAddress, channelOf, type Address } from '../broker/message.ts';
import { type Channel } from '../channels/channel.ts';
import { every, type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { type LogStore } from './log/log-store.ts';

/** Keeps the log within what the service and each channel want kept. */
export interface Retention extends AsyncDisposable {
  /** Removes what is over; runs by itself too. Resolves when all is gone that was over when it looked. */
  purge(): Promise<void>;
}

/** Messages removed in one step; between two steps others have their turn. */
const STEP = 500;
const ADDRESS_PAGE = 500;

export function createRetention(parts: {
  log: LogStore;
  broker: Broker;
  findChannel: (projectId: string, id: string) => Promise<Channel | undefined>;
  clock: Clock;
  config: Config;
  onFault: (error: unknown) => void;
}): Retention {
  const { log, broker, findChannel, clock, config, onFault } = parts;
  let running: Promise<void> | undefined;
  let isOver = false;
  /** Addresses whose channels keep messages for a shorter time than the service does: they are looked at every time. */
  const timed = new Map<string, { projectId: string; address: Address }>();
  /** Addresses whose channels have another policy, or are gone, since the last time. */
  const changed = new Map<string, { projectId: string; address: Address }>();
  let hasFullScan = false;

  function noteChange(projectId: string, channelId: string): void {
    const address = channelAddress(channelId);
    changed.set(`${projectId}\n${address}`, { projectId, address });
  }

  const listening = broker.listen({
    applySignal(signal) {
      if (signal.kind === 'CHANNEL_UPDATED') noteChange(signal.projectId, signal.channel.id);
      if (signal.kind === 'CHANNEL_DELETED') noteChange(signal.projectId, signal.channelId);
      return 0;
    },
  });

  async function stepwise(step: () => number): Promise<void> {
    while (!isOver && step() > 0) await nextTurn();
  }

  async function purgeAddress(projectId: string, address: Address): Promise<void> {
    const channelId = channelOf(address);
    const channel = channelId === null ? undefined : await findChannel(projectId, channelId);
    const key = `${projectId}\n${address}`;
    const seconds = channel?.historySeconds ?? config.retentionSeconds;
    if (seconds < config.retentionSeconds) timed.set(key, { projectId, address });
    else timed.delete(key);
    // What a channel that is gone has left behind is nobody's to read, also when there is another of its name.
    const isOrphan = channelId !== null && !channel;
    const keep = isOrphan ? 0 : (channel?.historyMessages ?? config.retentionMessages);
    const before = clock.now() - seconds * 1000;
    const through = channel?.createdAfter ?? 0;
    const from = log.keptFrom(projectId, address, keep);
    await stepwise(() => log.trim(projectId, address, { from, before, through }, STEP));
    // Also where nothing was over: many addresses are many steps.
    await nextTurn();
  }

  async function purgeAll(): Promise<void> {
    await stepwise(() => log.forgetKeys(clock.now(), STEP));
    const before = clock.now() - config.retentionSeconds * 1000;
    for (const projectId of log.listProjects()) await stepwise(() => log.trimAge(projectId, before, STEP));
    const due = new Map([
      ...timed,
      ...changed,
      ...log.takeDirtyAddresses().map((at) => [`${at.projectId}\n${at.address}`, at] as const),
    ]);
    try {
      for (const [key, at] of due) {
        if (isOver) return;
        changed.delete(key);
        await purgeAddress(at.projectId, at.address);
        due.delete(key);
      }
    } catch (error) {
      // Nobody else remembers that they grew.
      for (const [key, at] of due) changed.set(key, at);
      throw error;
    }
    if (!hasFullScan) await purgeEvery();
    hasFullScan = true;
  }

  /** Once after the start: what grew in an earlier life of the process. */
  async function purgeEvery(): Promise<void> {
    let after = { projectId: '', address: '' };
    for (;;) {
      const page = log.listAddresses(after, ADDRESS_PAGE);
      for (const { projectId, address } of page) await purgeAddress(projectId, address);
      const last = page.at(-1);
      if (isOver || !last) return;
      after = last;
    }
  }

  function purge(): Promise<void> {
    running ??= purgeAll().finally(() => (running = undefined));
    return running;
  }

  const purging = every(clock, config.purgeIntervalMs, () => void purge().catch(onFault));

  return {
    purge,
    async [Symbol.asyncDispose]() {
      isOver = true;
      purging[Symbol.dispose]();
      listening[Symbol.dispose]();
      await running?.catch(() => undefined);
    },
  };
}
