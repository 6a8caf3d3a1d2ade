import { expect, test } from 'vitest';
import { API_KEY } from '../support/service.ts';
import { createChannel } from '../support/backend.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { launchProcess, startProcess } from '../support/process.ts';
import { publishTo } from '../support/publish.ts';

const MASTER_KEY = 'the-master-key-of-these-test-processes';
const HISTORY = `{ channel(id: "room") { messages(last: 10) { nodes { data } } } }`;

test('on PostgreSQL an acknowledged message survives kill -9, another master key is refused, and no output holds the password', async (context) => {
  requirePostgres(context);
  const url = await (await sharedPostgres()).createDatabase();
  const env = { SIGNALBOX_DATABASE_URL: url, SIGNALBOX_MASTER_KEY: MASTER_KEY, SIGNALBOX_API_KEY: API_KEY };
  const outputs: string[] = [];
  {
    await using first = await startProcess({ env });
    await createChannel(first, 'room');
    await publishTo(first, { channel: 'room' }, 'kept');
    first.kill('SIGKILL');
    await first.exited;
    outputs.push(first.stderr);
  }
  await using other = launchProcess({ env: { ...env, SIGNALBOX_MASTER_KEY: MASTER_KEY.toUpperCase() } });
  expect(await other.exited).toBe(1);
  expect(other.stderr).toContain('The store was written under another master key.');
  await using again = await startProcess({ env });
  expect(await again.request(HISTORY)).toEqual({ channel: { messages: { nodes: [{ data: 'kept' }] } } });
  outputs.push(other.stderr, again.stderr);
  expect(outputs.join('')).not.toContain(new URL(url).password);
});
