import { expect, test } from 'vitest';
import { createChannel } from '../support/backend.ts';
import { Crowd } from './crowd.ts';
import {
  cutNowAndThen,
  flapNowAndThen,
  muteNowAndThen,
  renewNowAndThen,
  revokeAfter,
  speakAll,
  stallNowAndThen,
} from './doings.ts';
import { type Listener } from './listener.ts';
import { seatDoomed, seatFlapping, seatRenewing, seatRoamers, seatStalling, seatSteady } from './seats.ts';
import { byHttp, CHANNELS } from './speech.ts';
import { expectAll, expectPrefix, expectSameAll, expectStays, Places, readHistory } from './verdict.ts';
import { EVENTS, subscribeResuming, type ResumingSubscription } from '../support/resuming-subscription.ts';
import { numbers } from '../support/publish.ts';
import { startService } from '../support/service.ts';

/** Of a crowd that is to come together again; the interleaving is the machine’s. */
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const WORDS = 900;
const PATIENCE_MS = 15_000;
const CONFIG = {
  connectsPerSecond: 1_000_000,
  publishesPerSecondPerToken: 1_000_000,
  maxDataBytes: 200_000,
  maxMessageBytes: 400_000,
  // What is said in the heavy channel is more than this, and than what the network holds.
  maxQueueBytes: 2 * 1024 * 1024,
};

/** Has them all come, and everything happen. */
async function play(crowd: Crowd): Promise<void> {
  for (const seat of [seatStalling, seatSteady, seatRoamers, seatRenewing, seatDoomed]) await seat(crowd);
  const flapping = await seatFlapping(crowd);
  const orator = await crowd.mint('busy');
  await crowd.areLive();
  const [alone, together] = crowd.doomed;
  await Promise.all([
    speakAll(crowd, orator),
    cutNowAndThen(crowd),
    stallNowAndThen(crowd),
    renewNowAndThen(crowd),
    flapNowAndThen(crowd, flapping),
    muteNowAndThen(crowd, orator.id),
    revokeAfter(crowd, WORDS / 3, alone!),
    revokeAfter(crowd, WORDS / 2, together!),
  ]);
}

/** Says a last word everywhere. Whoever has heard those that it is to hear has heard everything. */
async function sayLast({ signalbox, speech }: Crowd): Promise<Map<string, string>> {
  const before = speech.said.length;
  for (const channel of CHANNELS)
    await speech.say(byHttp(signalbox), channel, { event: 'a', ephemeral: false, by: undefined });
  return new Map(speech.said.slice(before).map(({ channel, id }) => [channel, id!]));
}

const hasHeard =
  (ids: readonly (string | undefined)[]) =>
  ({ messages }: ResumingSubscription) => {
    const known = new Set(messages.slice(-100).map(({ id }) => id));
    return ids.every((id) => known.has(id!));
  };

/** Fails with the names of those who have not heard the last words in time. */
async function waitFor(listeners: readonly Listener[], lasts: ReadonlyMap<string, string>): Promise<void> {
  const waiting = new Set<string>();
  const heard = listeners.map(async ({ name, followed, channels }) => {
    waiting.add(name);
    const isThrough = hasHeard(channels.map((channel) => lasts.get(channel)));
    await followed.until(isThrough).catch(async (error: unknown) => {
      const { code }: any = await followed.ended;
      throw new Error(`${name} was closed with ${code}.`, { cause: error });
    });
    waiting.delete(name);
  });
  let patience: NodeJS.Timeout | undefined;
  const late = new Promise<void>((_, reject) => {
    const lose = () => reject(new Error(`These missed the last words: ${[...waiting].join(', ')}.`));
    patience = setTimeout(lose, PATIENCE_MS);
  });
  await Promise.race([Promise.all(heard), late]).finally(() => clearTimeout(patience));
}

test.each(numbers(3, SEED))(
  'a crowd is told everything once and in order, and no more than it may hear: SEED=%i',
  async (seed) => {
    await using signalbox = await startService(CONFIG);
    for (const channel of CHANNELS)
      await createChannel(signalbox, channel, { type: channel === 'club' ? 'PRIVATE' : 'PUBLIC' });
    await using crowd = new Crowd(signalbox, { seed, words: WORDS });
    const { speech, listeners, flapping, doomed, stays, clients, proxies } = crowd;
    const latecomer = await crowd.mint(...CHANNELS);
    await play(crowd);
    const lasts = await sayLast(crowd);
    await waitFor([...listeners, ...flapping], lasts);

    // The log, as one who comes after all is said reads it, and channel by channel.
    const late = subscribeResuming(crowd.client(latecomer), EVENTS, { since: latecomer.cursor });
    await late.until(hasHeard([...lasts.values()]));
    const log = late.messages;
    const histories = await Promise.all(CHANNELS.map((channel) => readHistory(signalbox, channel)));
    const places = new Places(histories);
    for (const [index, channel] of CHANNELS.entries())
      expect(places.of(log.filter((one) => one.channel === channel))).toEqual(places.of(histories[index]!));
    const said = new Map(speech.said.flatMap((one) => (one.id === undefined ? [] : [[one.id, one]])));
    const logged = [...said.values()].filter(({ ephemeral }) => !ephemeral);
    expect(places.of(log).toSorted()).toEqual(places.of(logged).toSorted());

    for (const listener of listeners) expectAll(listener, log, places);
    expectSameAll(listeners, speech.said);
    for (const { listeners: all, end } of doomed) {
      for (const listener of all) {
        expectEnd(listener, await listener.followed.ended);
        expectPrefix(listener, log, said, end!, places);
        const { length } = listener.followed.messages;
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThan(log.length);
      }
    }
    for (const listener of flapping) {
      const club = histories[CHANNELS.indexOf('club')]!;
      const { must, mayNot } = expectStays(listener, club, said, stays, places);
      expect(Math.min(must, mayNot)).toBeGreaterThan(0);
    }
    expect(clients.flatMap(({ misdelivered }) => misdelivered)).toEqual([]);
    const refused = speech.said.filter(({ id }) => id === undefined);
    expect(new Set(refused.map(({ by, code }) => `${by} ${String(code)}`))).toEqual(
      new Set(['orator FORBIDDEN']),
    );
    expect(proxies.reduce((sum, { cuts }) => sum + cuts, 0)).toBeGreaterThan(5);
  },
  60_000,
);

/** Told by the close of its socket, or by the last event of its stream. */
function expectEnd({ name }: Listener, end: unknown): void {
  if (name.endsWith('sse')) expect(end).toMatchObject([{ extensions: { code: 'TOKEN_REVOKED' } }]);
  else expect(end).toMatchObject({ code: 4403, reason: 'RENEW' });
}
