import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { createProjects } from '../../src/projects/projects.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { createManualClock } from '../support/clock.ts';

test('concurrent updates of one project by several nodes keep every change', async () => {
  await using store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const clock = createManualClock();
  const createNode = () =>
    createProjects({
      store,
      clock,
      newId: createIds(clock.now, randomBytes),
      isProduction: false,
      announce: async (write) => ({ result: await write(store), connections: 0 }),
      hasChannelsOf: () => sql`false`,
    });
  const nodes = [createNode(), createNode(), createNode()];
  await nodes[0]!.ensureDefault();
  await Promise.all([
    nodes[0]!.update('default', { anonymous: false }),
    nodes[1]!.update('default', { guests: false }),
    nodes[2]!.update('default', { expiryWarningSeconds: 77 }),
  ]);
  expect((await nodes[0]!.get('default')).settings).toMatchObject({
    anonymous: false,
    guests: false,
    expiryWarningSeconds: 77,
  });
});
