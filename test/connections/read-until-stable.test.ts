import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createInProcessBroker } from '../../src/broker/broker-in-process.ts';
import { createInProcessLeases } from '../../src/broker/leases-in-process.ts';
import { defaultConfig } from '../../src/config.ts';
import { createConnections } from '../../src/connections/registry.ts';
import { createRightsWatches } from '../../src/connections/rights-watch.ts';
import { createLogStore } from '../../src/messages/log/log-store.ts';
import { defaultSettings } from '../../src/projects/project-settings.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { type Caller } from '../../src/tokens/caller.ts';
import { createManualClock } from '../support/clock.ts';

const settings = { ...defaultSettings(false), anonymous: true };
const caller: Caller = { kind: 'ANONYMOUS', projectId: 'one', settings };

/** Opens a connection of project `one` while the settings of `projectId` change during each read of the caller. */
async function openDuringChangesOf(projectId: string) {
  const clock = createManualClock();
  await using store = openSqlite({ data: ':memory:', synchronous: 'normal' });
  const log = createLogStore(store, randomBytes);
  const onFault = (error: unknown) => expect.unreachable(String(error));
  await using broker = createInProcessBroker({
    log,
    rows: store,
    leases: createInProcessLeases(clock),
    onFault,
  });
  let reads = 0;
  const read = async () => {
    reads++;
    await broker.control({ kind: 'PROJECT_UPDATED', projectId, settings });
    return caller;
  };
  const connections = createConnections({
    broker,
    authenticate: { credential: read, refresh: read },
    rights: createRightsWatches(broker),
    clock,
    newId: (prefix) => `${prefix}_1`,
    config: defaultConfig({}),
    nodeId: 'node',
    onChange: () => undefined,
    onFault,
  });
  const opened = await connections.open(read, 'WEBSOCKET').then(
    () => 'open',
    (error: unknown) => (error as { code: string }).code,
  );
  return { opened, reads };
}

test('a connection opens although another project changes during each read of its caller', async () => {
  expect(await openDuringChangesOf('two')).toEqual({ opened: 'open', reads: 2 });
});

test('a connection fails with UNAVAILABLE when its project changes during each read of its caller', async () => {
  const { opened, reads } = await openDuringChangesOf('one');
  expect(opened).toBe('UNAVAILABLE');
  expect(reads).toBeLessThanOrEqual(25);
});
