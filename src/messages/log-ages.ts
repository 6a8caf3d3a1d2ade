import { type Address } from '../broker/message.ts';
import { type ClockHistory, type ClockSegment } from '../clock-history.ts';
import { type RetentionLog } from './log/retention-log.ts';

/** The heads of the logs around the moment at which a jump of the system clock was noticed, by project. */
interface JumpHeads {
  /** Everything up to this sequence was certainly published before the jump. */
  before: ReadonlyMap<string, number>;
  /** Everything after this sequence was certainly published after the jump. */
  after: ReadonlyMap<string, number>;
}

/** Finds messages older than an elapsed time. `publishedAt` is system time, so jumps of the system clock are corrected. */
export interface LogAges {
  /** Notices jumps of the system clock. Call it regularly. */
  sample(): Promise<void>;
  /**
   * The sequence number through which messages are older than `ageMs`; 0 when none are. Where it is uncertain on which side
   * of a jump a message was published, the message counts as younger. Without an address: in the whole log of the project.
   */
  agedThrough(projectId: string, ageMs: number, address?: Address): Promise<number>;
}

export function createLogAges(
  log: Pick<RetentionLog, 'agedThrough' | 'heads'>,
  clockHistory: ClockHistory,
): LogAges {
  const jumps = new WeakMap<ClockSegment, JumpHeads>();
  let last = log.heads();
  // Each sample reads the heads anew; the first one throws what this read threw.
  if (last instanceof Promise) last.catch(() => undefined);

  async function sample(): Promise<readonly ClockSegment[]> {
    const segments = clockHistory.sample();
    const now = await log.heads();
    const before = await last;
    last = now;
    for (const segment of segments.slice(1))
      if (!jumps.has(segment)) jumps.set(segment, { before, after: now });
    return segments;
  }

  return {
    async sample() {
      await sample();
    },
    async agedThrough(projectId, ageMs, address) {
      const segments = await sample();
      const { time, index } = clockHistory.ago(ageMs);
      const [current, next] = [segments[index], segments[index + 1]];
      // Everything of earlier segments is older, and nothing of later ones: compare the times of this segment only.
      const after = (current && jumps.get(current)?.after.get(projectId)) ?? 0;
      const through = next && (jumps.get(next)?.before.get(projectId) ?? 0);
      return Math.max(after, await log.agedThrough(projectId, time, address, { after, through }));
    },
  };
}
