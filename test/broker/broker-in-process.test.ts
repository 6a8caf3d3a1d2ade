import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createInProcessBroker } from '../../src/broker/broker-in-process.ts';
import { createInProcessLeases } from '../../src/broker/leases-in-process.ts';
import { type Message } from '../../src/broker/message.ts';
import { createLogStore } from '../../src/messages/log/log-store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { brokerContract } from '../contracts/broker-contract.ts';
import { setLobby, type BrokerUnderTest } from '../support/broker.ts';
import { createManualClock } from '../support/clock.ts';
import { draft, from } from '../support/drafts.ts';
import { createFolder } from '../support/folder.ts';

function createBroker(data = ':memory:') {
  const store = openSqlite({ data, synchronous: 'normal' });
  const log = createLogStore(store, randomBytes);
  const faults: unknown[] = [];
  const broker = createInProcessBroker({
    log,
    rows: store,
    leases: createInProcessLeases(createManualClock()),
    onFault: (error) => faults.push(error),
  });
  return {
    broker,
    faults,
    store,
    /** Makes writes fail, like a full disk. */
    refuseWrites: (refused: boolean) => store.sync.run(sql.raw(`pragma query_only = ${refused ? 1 : 0}`)),
    async trim(projectId, address, keep) {
      const through = log.excessThrough(projectId, address, keep);
      while (log.trim([{ projectId, address, through }], 100) > 0);
    },
    setLobby: (instance) => setLobby(store, instance),
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  } satisfies BrokerUnderTest & Record<string, unknown>;
}

brokerContract('The in-process broker', createBroker);

const unavailable = { code: 'UNAVAILABLE', retryable: true };

test('publishes fail with UNAVAILABLE while the log cannot be written, deliver nothing, and succeed afterwards', async () => {
  await using made = createBroker();
  const { broker, refuseWrites } = made;
  await broker.publish(draft());
  const received: Message[] = [];
  broker.listen({
    deliver(batch) {
      received.push(...batch);
      return [];
    },
  });

  refuseWrites(true);
  const results = await Promise.allSettled([
    broker.publish(draft()),
    broker.publish(draft({ address: 'token:t' })),
  ]);
  for (const { status, ...rest } of results)
    expect({ status, ...rest }).toMatchObject({ status: 'rejected', reason: unavailable });
  expect(received).toEqual([]);
  expect((await broker.head('one')).sequence).toBe(1);

  refuseWrites(false);
  const { message } = await broker.publish(draft());
  expect(message.logged).toMatchObject({ sequence: 2, previous: 1 });
  expect(received).toEqual([message]);
});

test('an invalid publish fails all publishes of its event loop turn, but not those of other turns', async () => {
  await using made = createBroker();
  const { broker } = made;
  await broker.publish(draft());
  const invalid = draft({ event: null as never });
  const results = await Promise.allSettled([broker.publish(draft()), broker.publish(invalid)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const { message } = await broker.publish(draft());
  expect(message.logged).toMatchObject({ sequence: 2, previous: 1 });
  const { messages } = await broker.read({
    projectId: 'one',
    after: 0,
    addresses: from('channel:lobby'),
    limit: 9,
  });
  expect(messages.map(({ logged }) => logged?.sequence)).toEqual([1, 2]);
});

test('a project has a single epoch when its first publish fails', async () => {
  await using made = createBroker();
  const { broker } = made;
  await expect(broker.publish(draft({ event: null as never }))).rejects.toMatchObject(unavailable);
  const { message } = await broker.publish(draft());
  const { epoch } = await broker.head('one');
  expect(message.logged).toEqual({ epoch, sequence: 1, previous: 0, ordinal: 1 });
});

test('publish fails with UNAVAILABLE after the store is closed', async () => {
  const made = createBroker();
  await made.broker.publish(draft());
  await made.store[Symbol.asyncDispose]();
  await expect(made.broker.publish(draft())).rejects.toMatchObject(unavailable);
});

test('dispose appends pending publishes and acknowledges them', async () => {
  const made = createBroker();
  const published = made.broker.publish(draft());
  // The store closes in the same turn of the event loop.
  await made[Symbol.asyncDispose]();
  expect((await published).message.logged?.sequence).toBe(1);
});

test('the log continues at the same epoch and sequence after reopening', async () => {
  using folder = createFolder();
  let published: Message;
  {
    await using before = createBroker(folder.path);
    published = (await before.broker.publish(draft({ data: { kept: true } }))).message;
  }
  await using after = createBroker(folder.path);
  const { broker } = after;
  const { epoch } = published.logged!;
  expect(await broker.head('one')).toEqual({ epoch, sequence: 1 });
  const request = { projectId: 'one', after: 0, addresses: from('channel:lobby'), limit: 9 };
  expect((await broker.read(request)).messages).toEqual([published]);
  const { message } = await broker.publish(draft());
  expect(message.logged).toMatchObject({ sequence: 2, previous: 1, previousEpoch: epoch });
  expect(await broker.holds('one', { epoch, sequence: 1 })).toBe(true);
  expect(await broker.holds('one', { epoch, sequence: 2 })).toBe(false);
});
