import assert from 'node:assert';
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../support/folder.ts';
import { type Fault } from './nemesis.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A piece of the built code and what takes its place. It must occur exactly once, so that no change of the code disarms it. */
interface Replacement {
  /** In `dist/`. */
  file: string;
  piece: string;
  by: string;
}

/** Takes one safeguard away from the service, to show that the checker finds what follows. */
export interface Sabotage {
  /** The faults that bring it to light. An empty list means that it shows without a fault. */
  faults: readonly Fault[];
  replacements: readonly Replacement[];
  /** Executed in the database once it is migrated. */
  statements: readonly string[];
}

/** Changes a function of the database, which must contain the piece. */
function changeFunction(name: string, piece: string, by: string): string {
  const quote = (text: string) => `$quoted$${text}$quoted$`;
  return `DO $change$
    DECLARE before text := pg_get_functiondef('${name}'::regproc);
    DECLARE after text := replace(before, ${quote(piece)}, ${quote(by)});
    BEGIN
      IF after = before THEN RAISE EXCEPTION 'the function ${name} does not contain the piece'; END IF;
      EXECUTE after;
    END $change$`;
}

export const SABOTAGES = {
  /**
   * Two nodes may draw the same number. The primary key would probably refuse the second message, so it is dropped, too.
   */
  'row-lock': {
    faults: [],
    replacements: [],
    statements: [
      changeFunction(
        'append_messages_v4',
        'FROM logs WHERE project_id = in_project FOR UPDATE',
        'FROM logs WHERE project_id = in_project',
      ),
      'ALTER TABLE messages DROP CONSTRAINT messages_project_id_sequence_pk',
      'DROP INDEX messages_by_address',
      'CREATE INDEX ON messages (project_id, sequence)',
      'CREATE INDEX ON messages (project_id, address, sequence)',
    ],
  },
  /** What a notification does not bring is not read from the log: neither by the regular look, nor when a gap is noticed. */
  'notify-only': {
    faults: ['cutListener', 'silenceListener'],
    replacements: [
      {
        file: 'broker/followers.js',
        piece: 'setInterval(() => void poll(), POLL_MS)',
        by: 'setInterval(() => {}, POLL_MS)',
      },
      { file: 'broker/followers.js', piece: 'wire.onGap(() => void poll())', by: 'wire.onGap(() => {})' },
      { file: 'broker/follower.js', piece: 'void this.#deliverMissing()', by: 'void 0' },
    ],
    statements: [],
  },
  /** Each node reads the head of a log once, as if nothing but this node could move it. */
  'cached-head': {
    faults: [],
    replacements: [
      {
        file: 'messages/log/postgres-log-store.js',
        piece: 'return row ?? { epoch: 0, sequence: 0 };',
        by: 'return (globalThis.firstHead ??= row);',
      },
    ],
    statements: [],
  },
  /**
   * A live subscription delivers what lies before its membership. A node that was not notified must learn of the membership
   * first, so it looks at the log later than it does.
   */
  'no-floor': {
    faults: ['cutListener', 'silenceListener'],
    replacements: [
      {
        file: 'subscriptions/log-subscriber.js',
        piece:
          'const floor = this.#position < this.#highestFloor ? (this.#addresses.get(first.address) ?? 0) : 0;',
        by: 'const floor = 0;',
      },
      { file: 'broker/followers.js', piece: 'const POLL_MS = 250;', by: 'const POLL_MS = 5000;' },
      { file: 'broker/follower.js', piece: 'const GRACE_MS = 5;', by: 'const GRACE_MS = 2000;' },
    ],
    statements: [],
  },
  /** A node that does not confirm a change continues, and its registration is asked for nothing. */
  'no-fencing': {
    faults: ['stop'],
    replacements: [
      {
        file: 'broker/node-registration.js',
        piece: 'holds: () => performance.now() < Math.min(leaseEnd, freshUntil)',
        by: 'holds: () => true',
      },
      {
        file: 'broker/node-registration.js',
        piece: 'async fence(nodeIds) {',
        by: 'async fence(nodeIds) { return;',
      },
    ],
    statements: [
      changeFunction('append_messages_v4', 'AND NOT fenced AND lease_until > clock_timestamp()', ''),
    ],
  },
} satisfies Record<string, Sabotage>;

export type SabotageName = keyof typeof SABOTAGES;

/** The files of the built service without a safeguard, by their name in `dist/`. Throws unless each piece occurs exactly once. */
export function sabotagedFiles({ replacements }: Sabotage): Map<string, string> {
  const files = new Map<string, string>();
  for (const { file, piece, by } of replacements) {
    const parts = (files.get(file) ?? readFileSync(join(ROOT, 'dist', file), 'utf8')).split(piece);
    assert.equal(parts.length, 2, `${file} must contain “${piece}” exactly once.`);
    files.set(file, parts.join(by));
  }
  return files;
}

/** A copy of the built service without a safeguard. The service itself has no switch for that. */
export function buildSabotaged(sabotage: Sabotage): { main: string } & Disposable {
  const files = sabotagedFiles(sabotage);
  const folder = createFolder();
  for (const entry of readdirSync(ROOT))
    if (entry !== 'dist') symlinkSync(join(ROOT, entry), join(folder.path, entry));
  cpSync(join(ROOT, 'dist'), join(folder.path, 'dist'), { recursive: true });
  for (const [file, text] of files) writeFileSync(join(folder.path, 'dist', file), text);
  return { main: join(folder.path, 'dist/main.js'), [Symbol.dispose]: () => folder[Symbol.dispose]() };
}
