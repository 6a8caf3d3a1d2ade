import { and, asc, eq, lt } from 'drizzle-orm';
import { type Message } from '../../broker/message.ts';
import { type Position } from '../../broker/position.ts';
import { type RandomBytes } from '../../ids.ts';
import { type SqliteStore } from '../../store/store.ts';
import { logEpochs } from './tables.ts';

/** `beganAfter` of the first epoch of a log, so that the epoch includes position 0, before the first message. */
const BEFORE_FIRST = -1;

interface Epoch {
  epoch: number;
  /** Positions after this sequence belong to the epoch, up to and including `beganAfter` of the next epoch. */
  beganAfter: number;
}

/** Older epochs are deleted, and their cursors yield POSITION_LOST. Each process that publishes begins one epoch. */
const MAX_EPOCHS = 1000;

/**
 * The epochs of each log, oldest first. A cursor names its epoch, so a cursor from a history that was undone by restoring
 * an older copy, or by a loss of power, is never taken for a position of the history that followed.
 */
export function createEpochStore({ sync: db }: SqliteStore, randomBytes: RandomBytes) {
  const epochsByProject = new Map<string, Epoch[]>();
  /** Projects whose current epoch was begun by this process. */
  const begun = new Set<string>();

  function epochsOf(projectId: string): Epoch[] {
    const known = epochsByProject.get(projectId);
    if (known) return known;
    const rows = db
      .select({ epoch: logEpochs.epoch, beganAfter: logEpochs.beganAfter })
      .from(logEpochs)
      .where(eq(logEpochs.projectId, projectId))
      .orderBy(asc(logEpochs.beganAfter))
      .all();
    epochsByProject.set(projectId, rows);
    return rows;
  }

  /** The index of the epoch that a sequence belongs to. */
  function indexOf(epochs: readonly Epoch[], sequence: number): number {
    let [low, high] = [0, epochs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((epochs[middle] as Epoch).beganAfter < sequence) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  function begin(projectId: string, head: number): void {
    const epoch = Buffer.from(randomBytes(4)).readUInt32BE();
    // An epoch without a message is replaced: no cursor can lie in it.
    db.insert(logEpochs)
      .values({ projectId, beganAfter: head, epoch })
      .onConflictDoUpdate({ target: [logEpochs.projectId, logEpochs.beganAfter], set: { epoch } })
      .run();
    const epochs = [
      ...epochsOf(projectId).filter(({ beganAfter }) => beganAfter < head),
      { epoch, beganAfter: head },
    ];
    const kept = epochs.slice(-MAX_EPOCHS);
    if (kept.length < epochs.length) {
      const oldest = (kept[0] as Epoch).beganAfter;
      db.delete(logEpochs)
        .where(and(eq(logEpochs.projectId, projectId), lt(logEpochs.beganAfter, oldest)))
        .run();
    }
    epochsByProject.set(projectId, kept);
    begun.add(projectId);
  }

  return {
    /** The epoch of a sequence; equal positions have equal epochs, so equal cursors. */
    of(projectId: string, sequence: number): number {
      const epochs = epochsOf(projectId);
      return epochs[indexOf(epochs, sequence)]?.epoch ?? 0;
    },
    /** Begins the first epoch of a new log. */
    beginLog: (projectId: string) => begin(projectId, BEFORE_FIRST),
    /** Begins an epoch at `head`, unless this process has done so. Call it in the transaction of the append. */
    ensure(projectId: string, head: number): void {
      if (!begun.has(projectId)) begin(projectId, head);
    },
    /** Whether the log holds this position: its epoch is known, and the sequence lies in that epoch. */
    holds(projectId: string, { epoch, sequence }: Position, head: number): boolean {
      const epochs = epochsOf(projectId);
      return sequence <= head && epochs[indexOf(epochs, sequence)]?.epoch === epoch;
    },
    /** Clears the caches. Called after a rollback, because they may hold uncommitted epochs. */
    invalidate(): void {
      epochsByProject.clear();
      begun.clear();
    },
  };
}

export type EpochStore = ReturnType<typeof createEpochStore>;

/** The field `logged` of a message: its position, and its place among the messages of the same address. */
export function loggedPosition(
  epochs: EpochStore,
  projectId: string,
  { sequence, previous, ordinal }: { sequence: number; previous: number; ordinal: number },
): NonNullable<Message['logged']> {
  const epoch = epochs.of(projectId, sequence);
  const previousEpoch = previous === 0 ? epoch : epochs.of(projectId, previous);
  return { epoch, sequence, previous, ordinal, ...(previousEpoch !== epoch && { previousEpoch }) };
}
