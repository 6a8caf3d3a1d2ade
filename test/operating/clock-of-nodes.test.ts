import { expect, test } from 'vitest';
import { mint } from '../support/backend.ts';
import { createSystemClock, requireFaketime } from '../support/faketime.ts';
import { createFolder } from '../support/folder.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { launchProcess, startProcess } from '../support/process.ts';
import { API_KEY } from '../support/service.ts';
import { connectSocket, openSocket } from '../support/socket.ts';

const HOUR_SECONDS = 3600;

async function readinessOf({ url }: { url: string }): Promise<string> {
  const response = await fetch(`${url}/ready`);
  return `${response.status} ${await response.text()}`;
}

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
  const readiness = () => readinessOf(node);
  await expect.poll(readiness).toMatch(/^200/);
  clock.set(-HOUR_SECONDS);
  await expect.poll(readiness).toMatch(/^503 .*seconds behind that of PostgreSQL/s);
  clock.set(0);
  await expect.poll(readiness).toMatch(/^200/);
});

test('a revocation covers what a node with a clock ahead has signed before it, and nothing that any node signs after it', async (context) => {
  requirePostgres(context);
  requireFaketime(context);
  using folder = createFolder();
  const clock = createSystemClock(folder.path);
  const env = {
    SIGNALBOX_DATABASE_URL: await (await sharedPostgres()).createDatabase(),
    SIGNALBOX_MASTER_KEY: 'the-master-key-of-these-test-processes',
    SIGNALBOX_API_KEY: API_KEY,
  };
  await using right = await startProcess({ env });
  clock.set(3);
  await using ahead = await startProcess({ env: { ...env, ...clock.env } });
  for (const node of [right, ahead]) await expect.poll(() => readinessOf(node)).toMatch(/^200/);

  const before = await mint(ahead, { identity: 'ada' });
  using live = await connectSocket(ahead, { token: before.credential });
  const { revokeTokens } = await right.request('mutation { revokeTokens(identity: "ada") { connections } }');
  expect(revokeTokens.connections).toBe(1);
  expect((await live.closed).code).toBe(4403);
  for (const signer of [right, ahead]) {
    const { credential } = await mint(signer, { identity: 'ada' });
    for (const node of [right, ahead]) (await connectSocket(node, { token: credential }))[Symbol.dispose]();
  }
  for (const node of [right, ahead]) {
    using socket = await openSocket(node);
    socket.send({ type: 'connection_init', payload: { token: before.credential } });
    expect((await socket.closed).code).toBe(4403);
  }
});
