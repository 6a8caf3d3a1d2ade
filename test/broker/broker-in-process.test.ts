import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createInProcessBroker } from '../../src/broker/broker-in-process.ts';
import { createInProcessLeases } from '../../src/broker/leases-in-process.ts';
import { type Message } from '../../src/broker/message.ts';
import { createLogStore } from '../../src/messages/log/log-store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { brokerContract } from '../contracts/broker-contract.ts';
import { type BrokerUnderTest } from '../support/broker.ts';
import { createManualClock } from '../support/clock.ts';
import { draft, from } from '../support/drafts.ts';
import { createFolder } from '../support/folder.ts';

function make(data = ':memory:') {
  const store = openSqlite({ data, synchronous: 'normal' });
  const log = createLogStore(store, randomBytes);
  const faults: unknown[] = [];
  const broker = createInProcessBroker({
    log,
    leases: createInProcessLeases(createManualClock()),
    onFault: (error) => faults.push(error),
  });
  return {
    broker,
    faults,
    store,
    /** As a full disk would. */
    refuseWrites: (refused: boolean) => store.db.run(sql.raw(`pragma query_only = ${refused ? 1 : 0}`)),
    async trim(projectId, address, keep) {
      while (
        log.trim(projectId, address, { from: log.oldestKept(projectId, address, keep), before: 0 }, 100) > 0
      );
    },
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  } satisfies BrokerUnderTest & Record<string, unknown>;
}

brokerContract('The in-process broker', make);

const unavailable = { code: 'UNAVAILABLE', retryable: true };

test('a log that cannot be written says nothing and counts nothing, and goes on when it can', async () => {
  await using made = make();
  const { broker, refuseWrites } = made;
  await broker.publish(draft());
  const heard: Message[] = [];
  broker.listen({
    deliver(run) {
      heard.push(...run);
      return [];
    },
  });

  refuseWrites(true);
  const turn = await Promise.allSettled([
    broker.publish(draft()),
    broker.publish(draft({ address: 'token:t' })),
  ]);
  for (const { status, ...rest } of turn)
    expect({ status, ...rest }).toMatchObject({ status: 'rejected', reason: unavailable });
  expect(heard).toEqual([]);
  expect((await broker.head('one')).sequence).toBe(1);

  refuseWrites(false);
  const { message } = await broker.publish(draft());
  expect(message.logged).toMatchObject({ sequence: 2, previous: 1 });
  expect(heard).toEqual([message]);
});

test('one publish that the log cannot hold fails its whole turn; the turns around it stand', async () => {
  await using made = make();
  const { broker } = made;
  await broker.publish(draft());
  const bad = draft({ event: null as never });
  const turn = await Promise.allSettled([broker.publish(draft()), broker.publish(bad)]);
  expect(turn.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
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

test('a project whose very first publish fails has one epoch afterwards', async () => {
  await using made = make();
  const { broker } = made;
  await expect(broker.publish(draft({ event: null as never }))).rejects.toMatchObject(unavailable);
  const { message } = await broker.publish(draft());
  const { epoch } = await broker.head('one');
  expect(message.logged).toEqual({ epoch, sequence: 1, previous: 0 });
});

test('after its store is closed every publish is refused', async () => {
  const made = make();
  await made.broker.publish(draft());
  await made.store[Symbol.asyncDispose]();
  await expect(made.broker.publish(draft())).rejects.toMatchObject(unavailable);
});

test('disposing it says what is still waiting to be said', async () => {
  const made = make();
  const published = made.broker.publish(draft());
  // Its store closes in the same turn.
  await made[Symbol.asyncDispose]();
  expect((await published).message.logged?.sequence).toBe(1);
});

test('the log goes on where it was after reopening', async () => {
  using folder = createFolder();
  let said: Message;
  {
    await using before = make(folder.path);
    said = (await before.broker.publish(draft({ data: { kept: true } }))).message;
  }
  await using after = make(folder.path);
  const { broker } = after;
  const { epoch } = said.logged!;
  expect(await broker.head('one')).toEqual({ epoch, sequence: 1 });
  const request = { projectId: 'one', after: 0, addresses: from('channel:lobby'), limit: 9 };
  expect((await broker.read(request)).messages).toEqual([said]);
  expect((await broker.publish(draft())).message.logged).toEqual({ epoch, sequence: 2, previous: 1 });
});
