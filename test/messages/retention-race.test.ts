import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Channel } from '../../src/channels/channel.ts';
import { createClockHistory } from '../../src/clock-history.ts';
import { defaultConfig } from '../../src/config.ts';
import { createPostgresLogStore } from '../../src/messages/log/postgres-log-store.ts';
import { createRetention } from '../../src/messages/retention.ts';
import { LOBBY } from '../support/broker.ts';
import { openBroker } from '../support/broker-on-postgres.ts';
import { createManualClock } from '../support/clock.ts';
import { draft, from } from '../support/drafts.ts';
import { hasPostgres } from '../support/postgres.ts';

const CHANNEL: Channel = {
  projectId: 'one',
  id: 'lobby',
  type: 'PUBLIC',
  kind: null,
  state: null,
  version: 1,
  historyMessages: null,
  historySeconds: null,
  createdAfter: 0,
  createdAt: 1,
  instance: null,
};

test.skipIf(!hasPostgres).each([
  ['deleted', undefined],
  ['of a history of one message', { ...CHANNEL, historyMessages: 1 }],
] as const)(
  'a purge that found a channel %s removes nothing of the new channel that was created meanwhile with its id',
  async (_, old) => {
    await using made = await openBroker();
    const { broker, store, nodeId } = made;
    const log = createPostgresLogStore(store, { nodeId, randomBytes });
    const clock = createManualClock();
    const { message: before } = await broker.publish(draft());
    const expected: string[] = [];
    let channel: Channel | undefined;
    async function findChannel() {
      if (channel) return channel;
      channel = { ...CHANNEL, createdAfter: before.logged?.sequence ?? 0, createdAt: 2 };
      for (let n = 0; n < 3; n++) expected.push((await broker.publish(draft())).message.id);
      return old;
    }
    await using retention = createRetention({
      log,
      broker,
      findChannel,
      reclaimSpace: () => 0,
      clock,
      clockHistory: createClockHistory(clock, () => undefined),
      config: defaultConfig(),
      onPurged: () => undefined,
      onFault: (error) => expect(error).toBeUndefined(),
    });
    await retention.purge();
    const { messages } = await broker.read({ projectId: 'one', after: 0, addresses: from(LOBBY), limit: 9 });
    expect(messages.map(({ id }) => id)).toEqual(expected);
  },
);
