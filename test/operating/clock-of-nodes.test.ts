import { expect, test } from 'vitest';
import { createSystemClock, requireFaketime } from '../support/faketime.ts';
import { createFolder } from '../support/folder.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { launchProcess, startProcess } from '../support/process.ts';

const HOUR_SECONDS = 3600;

test('a node whose clock is an hour ahead of the database does not start, and one whose clock is set back is suspended until it is right', async (context) => {
  requirePostgres(context);
  requireFaketime(context);
  using folder = createFolder();
  const clock = createSystemClock(folder.path);
  const env = {
    ...clock.env,
    SIGNALBOX_DATABASE_URL: await (await sharedPostgres()).createDatabase(),
    SIGNALBOX_MASTER_KEY: 'the-master-key-of-these-test-processes',
    SIGNALBOX_LEASE_MS: '2000',
  };
  clock.set(HOUR_SECONDS);
  await using wrong = launchProcess({ env });
  expect(await wrong.exited).toBe(1);
  expect(wrong.stderr).toMatch(/The clock of this machine is 3[56]\d\d seconds ahead of that of PostgreSQL/);

  clock.set(0);
  await using node = await startProcess({ env });
  const readiness = async () => {
    const response = await fetch(`${node.url}/ready`);
    return `${response.status} ${await response.text()}`;
  };
  await expect.poll(readiness).toMatch(/^200/);
  clock.set(-HOUR_SECONDS);
  await expect.poll(readiness).toMatch(/^503 .*seconds behind that of PostgreSQL/s);
  clock.set(0);
  await expect.poll(readiness).toMatch(/^200/);
});
