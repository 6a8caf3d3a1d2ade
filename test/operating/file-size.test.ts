import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createFolder } from '../support/folder.ts';
import { publishTo } from '../support/publish.ts';
import { startService } from '../support/service.ts';

test('the file of the store shrinks after a purge', async () => {
  using folder = createFolder();
  const file = join(folder.path, 'signalbox.sqlite');
  const clock = createManualClock();
  await using signalbox = await startService(
    { data: folder.path, retentionSeconds: 60, purgeIntervalMs: 3_600_000 },
    { clock },
  );
  await createChannel(signalbox, 'room');
  for (let batch = 0; batch < 10; batch++)
    await Promise.all(
      Array.from({ length: 20 }, () => publishTo(signalbox, { channel: 'room' }, 'x'.repeat(30_000))),
    );
  const sizeOf = () => {
    const sqlite = new Database(file);
    sqlite.pragma('wal_checkpoint(TRUNCATE)');
    sqlite.close();
    return statSync(file).size;
  };
  const full = sizeOf();
  expect(full).toBeGreaterThan(6_000_000);
  await clock.advance(120_000);
  await signalbox.service.retention.purge();
  expect(sizeOf()).toBeLessThan(full / 4);
});
