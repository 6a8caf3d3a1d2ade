import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Position } from '../../src/broker/position.ts';
import { createLogStore, type LogStore } from '../../src/messages/log/log-store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { type SqliteStore } from '../../src/store/store.ts';
import { draft } from '../support/drafts.ts';
import { createFolder } from '../support/folder.ts';

type Step =
  | { kind: 'PUBLISH'; count: number }
  | { kind: 'RESTART' }
  | { kind: 'COPY' }
  | { kind: 'RESTORE'; copy: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('PUBLISH' as const), count: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('RESTART' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('COPY' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('RESTORE' as const), copy: fc.nat() }) },
  ),
  { minLength: 3, maxLength: 14 },
);

/** A log on disk that can be restarted, copied and restored, and the ids of the messages of its current history. */
class CopiedLog implements Disposable {
  readonly #folder = createFolder();
  readonly #copies: { file: string; history: string[] }[] = [];
  #store: SqliteStore | undefined;
  #log: LogStore | undefined;
  history: string[] = [];

  get log(): LogStore {
    if (!this.#log) {
      this.#store = openSqlite({ data: join(this.#folder.path, 'data'), synchronous: 'normal' });
      this.#log = createLogStore(this.#store, randomBytes);
    }
    return this.#log;
  }

  async stop(): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    this.#store = this.#log = undefined;
  }

  publish(count: number): void {
    const drafts = Array.from({ length: count }, () =>
      draft({ id: `msg_${randomBytes(8).toString('hex')}` }),
    );
    this.log.append(drafts);
    this.history.push(...drafts.map(({ id }) => id));
  }

  async copy(): Promise<void> {
    await this.stop();
    const file = join(this.#folder.path, `copy-${this.#copies.length}`);
    copyFileSync(this.#storeFile(), file);
    this.#copies.push({ file, history: [...this.history] });
  }

  async restore(index: number): Promise<void> {
    const copy = this.#copies[index % this.#copies.length];
    if (!copy) return;
    await this.stop();
    rmSync(join(this.#folder.path, 'data'), { recursive: true });
    mkdirSync(join(this.#folder.path, 'data'));
    copyFileSync(copy.file, this.#storeFile());
    this.history = [...copy.history];
  }

  #storeFile(): string {
    return join(this.#folder.path, 'data', 'signalbox.sqlite');
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

test('a position is held exactly while its message is in the history across copies and restores', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      using copied = new CopiedLog();
      const minted: { position: Position; id: string | undefined }[] = [];
      const apply = async (step: Step) => {
        if (step.kind === 'PUBLISH') copied.publish(step.count);
        else if (step.kind === 'RESTART') await copied.stop();
        else if (step.kind === 'COPY') await copied.copy();
        else await copied.restore(step.copy);
      };
      copied.log.head('one');
      for (const step of script) {
        await apply(step);
        const head = copied.log.head('one');
        expect(head.sequence).toBe(copied.history.length);
        minted.push({ position: head, id: copied.history.at(-1) });
        for (const { position, id } of minted) {
          const isInHistory = position.sequence === 0 || copied.history[position.sequence - 1] === id;
          expect(copied.log.holds('one', position)).toBe(isInHistory);
          // One cursor for one message: what was minted then is what the log yields now.
          if (isInHistory) expect(copied.log.positionAt('one', position.sequence)).toEqual(position);
        }
      }
      await copied.stop();
    }),
    { numRuns: 60 },
  );
});
