import { expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { LoadRun } from './load-run.ts';
import {
  cutRepeatedly,
  changeMembershipRepeatedly,
  muteRepeatedly,
  reauthenticateRepeatedly,
  revokeAfter,
  publishEverything,
  stallRepeatedly,
} from './actions.ts';
import { type Subscriber } from './subscribers.ts';
import {
  addRevokedGroups,
  addChangingMembers,
  addReauthenticatingClients,
  addReconnectingClients,
  addStallingClients,
  addSteadyClients,
} from './clients.ts';
import { byHttp, CHANNELS } from './publishing.ts';
import {
  expectComplete,
  expectPrefixBefore,
  expectSameOrder,
  expectMembershipPeriods,
  MessageLabels,
  readHistory,
} from './assertions.ts';
import { EVENTS, subscribeResuming, type ResumingSubscription } from '../support/resuming-subscription.ts';
import { numbers } from '../support/publish.ts';
import { startService } from '../support/service.ts';

/** Set SEED to repeat the choices of an earlier run. Their interleaving may differ. */
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const MESSAGE_COUNT = 900;
const TIMEOUT_MS = 15_000;
const CONFIG = {
  connectsPerSecond: 1_000_000,
  publishesPerSecondPerToken: 1_000_000,
  maxDataBytes: 200_000,
  maxMessageBytes: 400_000,
  // Less than the data of channel `heavy`, which also exceeds the socket buffers.
  maxQueueBytes: 2 * 1024 * 1024,
};

/** Adds all clients and runs all actions concurrently. */
async function runActions(run: LoadRun): Promise<void> {
  for (const add of [
    addStallingClients,
    addSteadyClients,
    addReconnectingClients,
    addReauthenticatingClients,
    addRevokedGroups,
  ])
    await add(run);
  const changingMembers = await addChangingMembers(run);
  const publisher = await run.mint('busy');
  await run.untilLive();
  const [alone, together] = run.revokedGroups;
  await Promise.all([
    publishEverything(run, publisher),
    cutRepeatedly(run),
    stallRepeatedly(run),
    reauthenticateRepeatedly(run),
    changeMembershipRepeatedly(run, changingMembers),
    muteRepeatedly(run, publisher.id),
    revokeAfter(run, MESSAGE_COUNT / 3, alone!),
    revokeAfter(run, MESSAGE_COUNT / 2, together!),
  ]);
}

/**
 * Publishes a final message to every channel. A subscriber that has received those of its channels has received everything.
 */
async function publishFinalMessages({ signalbox, publishing }: LoadRun): Promise<Map<string, string>> {
  const before = publishing.attempts.length;
  for (const channel of CHANNELS)
    await publishing.publish(byHttp(signalbox), channel, { event: 'a', ephemeral: false, by: undefined });
  return new Map(publishing.attempts.slice(before).map(({ channel, id }) => [channel, id!]));
}

const hasReceived =
  (ids: readonly (string | undefined)[]) =>
  ({ messages }: ResumingSubscription) => {
    const known = new Set(messages.slice(-100).map(({ id }) => id));
    return ids.every((id) => known.has(id!));
  };

/** Rejects with the names of the subscribers that have not received the final messages in time. */
async function untilReceived(
  subscribers: readonly Subscriber[],
  finalMessages: ReadonlyMap<string, string>,
): Promise<void> {
  const waiting = new Set<string>();
  const received = subscribers.map(async ({ name, subscription, channels }) => {
    waiting.add(name);
    const hasAll = hasReceived(channels.map((channel) => finalMessages.get(channel)));
    await subscription.until(hasAll).catch(async (error: unknown) => {
      const { code }: any = await subscription.ended;
      throw new Error(`${name} was closed with ${code}.`, { cause: error });
    });
    waiting.delete(name);
  });
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((_, reject) => {
    const fail = () =>
      reject(new Error(`These subscribers missed the final messages: ${[...waiting].join(', ')}.`));
    timer = setTimeout(fail, TIMEOUT_MS);
  });
  await Promise.race([Promise.all(received), timeout]).finally(() => clearTimeout(timer));
}

test.each(numbers(3, SEED))(
  'every subscriber receives each message once and in order, and none without permission, under load: SEED=%i',
  async (seed) => {
    await using signalbox = await startService(CONFIG);
    for (const channel of CHANNELS)
      await createChannel(signalbox, channel, { type: channel === 'club' ? 'PRIVATE' : 'PUBLIC' });
    await using run = new LoadRun(signalbox, { seed, messageCount: MESSAGE_COUNT });
    const { publishing, subscribers, changingMembers, revokedGroups, membershipPeriods, clients, proxies } =
      run;
    const readerToken = await run.mint(...CHANNELS);
    await runActions(run);
    const finalMessages = await publishFinalMessages(run);
    await untilReceived([...subscribers, ...changingMembers], finalMessages);

    // Read the log twice: with one subscription from the start, and channel by channel.
    const reader = subscribeResuming(run.client(readerToken), EVENTS, { since: readerToken.cursor });
    await reader.until(hasReceived([...finalMessages.values()]));
    const log = reader.messages;
    const histories = await Promise.all(CHANNELS.map((channel) => readHistory(signalbox, channel)));
    const labels = new MessageLabels(histories);
    for (const [index, channel] of CHANNELS.entries())
      expect(labels.of(log.filter((one) => one.channel === channel))).toEqual(labels.of(histories[index]!));
    const attempts = new Map(
      publishing.attempts.flatMap((one) => (one.id === undefined ? [] : [[one.id, one]])),
    );
    const logged = [...attempts.values()].filter(({ ephemeral }) => !ephemeral);
    expect(labels.of(log).toSorted()).toEqual(labels.of(logged).toSorted());

    for (const subscriber of subscribers) expectComplete(subscriber, log, labels);
    expectSameOrder(subscribers, publishing.attempts);
    for (const { subscribers: all, end } of revokedGroups) {
      for (const subscriber of all) {
        expectRevoked(subscriber, await subscriber.subscription.ended);
        expectPrefixBefore(subscriber, log, attempts, end!, labels);
        const { length } = subscriber.subscription.messages;
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThan(log.length);
      }
    }
    for (const subscriber of changingMembers) {
      const club = histories[CHANNELS.indexOf('club')]!;
      const { required, forbidden } = expectMembershipPeriods(
        subscriber,
        club,
        attempts,
        membershipPeriods,
        labels,
      );
      expect(Math.min(required, forbidden)).toBeGreaterThan(0);
    }
    expect(clients.flatMap(({ misdelivered }) => misdelivered)).toEqual([]);
    const refused = publishing.attempts.filter(({ id }) => id === undefined);
    expect(new Set(refused.map(({ by, code }) => `${by} ${String(code)}`))).toEqual(
      new Set(['publisher FORBIDDEN']),
    );
    expect(proxies.reduce((sum, { cuts }) => sum + cuts, 0)).toBeGreaterThan(5);
  },
);

/** Expects the end by a revocation: a close code over WebSocket, an error over SSE. */
function expectRevoked({ name }: Subscriber, end: unknown): void {
  if (name.endsWith('sse')) expect(end).toMatchObject([{ extensions: { code: 'TOKEN_REVOKED' } }]);
  else expect(end).toMatchObject({ code: 4403, reason: 'The token was revoked.' });
}
