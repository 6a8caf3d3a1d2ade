import { expect, test } from 'vitest';
import { createChannel, isOnline, updateToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { signWithApiKey } from '../support/moderation.ts';
import { numbers, publishMany } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket, type Close, type RawSocket } from '../support/socket.ts';

/** All times of the simulation are seconds since its start. */
const HOUR = 3600;
const CLIENTS = 225;
/** Clients that refresh for the whole hour. The others stop within ten minutes. */
const STAYING = 200;
const LIFETIME = 30;
const WARNING = 5;
/** How long a client uses one credential before it refreshes. */
const PERIOD = LIFETIME - WARNING;
/** Clients join in groups, one group per step, so that one group refreshes at each step. */
const STEP = 5;
const START = Date.UTC(2030, 0, 1);

const NEWS = { channels: 'news', actions: ['SUBSCRIBE'] };
const EXTRA = { channels: 'extra', actions: ['SUBSCRIBE'] };
const EVENTS = `subscription { events {
  __typename
  ... on Connected { token { id } }
  ... on ChannelMessage { message { data } }
} }`;
const REAUTHENTICATE = `mutation ($credential: String!) { reauthenticate(credential: $credential) { kind } }`;

/** When the access of a client changes. */
interface Schedule {
  joinsAt: number;
  /** When the record's grant for the channel `extra` lapses. */
  lapsesAt: number;
  /** The refresh from which on the credential does not grant the channel `extra`. */
  dropsAt: number;
  /** When the last credential expires. */
  leavesAt: number;
}

const NEVER = Number.POSITIVE_INFINITY;

function scheduleOf(n: number): Schedule {
  const joinsAt = (n * STEP) % PERIOD;
  const refreshBefore = (moment: number) => joinsAt + Math.floor((moment - joinsAt - 1) / PERIOD) * PERIOD;
  return {
    joinsAt,
    lapsesAt: n % 4 === 1 ? 100 + (n % 7) * 7 : NEVER,
    dropsAt: n % 4 === 2 ? refreshBefore(100 + (n % 3) * 80) : NEVER,
    leavesAt: n < STAYING ? NEVER : refreshBefore(300 + (n % 6) * 50) + LIFETIME,
  };
}

/** A client on one socket that receives messages and refreshes its credential on TokenExpiring. */
class Listener {
  readonly schedule: Schedule;
  readonly received: number[] = [];
  readonly errors: unknown[] = [];
  refreshes = 0;
  tokenId: string | undefined;
  close: Close | undefined;
  readonly #checks = new Set<() => void>();

  constructor(schedule: Schedule) {
    this.schedule = schedule;
  }

  async open(signalbox: TestService, mint: () => string): Promise<void> {
    const socket = await connectSocket(signalbox, { token: mint() });
    socket.send({ id: 'inbox', type: 'subscribe', payload: { query: EVENTS } });
    void socket.closed.then((close) => this.#update(() => (this.close = close)));
    void this.#readAll(socket, mint);
    await this.until(() => this.tokenId !== undefined);
  }

  /** Resolves when the condition holds, which is checked after every change of the client. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => condition() && this.#checks.delete(check) && resolve();
      this.#checks.add(check);
      check();
    });
  }

  async #readAll(socket: RawSocket, mint: () => string): Promise<void> {
    while (!this.close) {
      const frame = await socket.next().catch(() => undefined);
      if (frame) this.#update(() => this.#handle(frame, socket, mint));
    }
  }

  #handle({ type, payload }: any, socket: RawSocket, mint: () => string): void {
    if (type === 'error' || payload?.errors) this.errors.push(payload);
    const { events, reauthenticate } = payload?.data ?? {};
    if (reauthenticate) this.refreshes++;
    if (events?.__typename === 'Connected') this.tokenId = events.token.id;
    if (events?.__typename === 'ChannelMessage') this.received.push(events.message.data);
    if (events?.__typename !== 'TokenExpiring' || this.#isLastCredential()) return;
    const refresh = { query: REAUTHENTICATE, variables: { credential: mint() } };
    socket.send({ id: `refresh-${this.refreshes}`, type: 'subscribe', payload: refresh });
  }

  #isLastCredential(): boolean {
    return this.schedule.joinsAt + this.refreshes * PERIOD + LIFETIME === this.schedule.leavesAt;
  }

  #update(change: () => void): void {
    change();
    for (const check of this.#checks) check();
  }
}

test('for an hour, 200 clients that refresh 30-second tokens in place receive every allowed message once, in order', async () => {
  const clock = createManualClock(START);
  const now = () => (clock.now() - START) / 1000;
  // Presence and retention run seldom, because this test does not concern them.
  const longIntervals = { leaseMs: 300_000, purgeIntervalMs: 3_600_000 };
  await using signalbox = await startService({ expiryWarningSeconds: WARNING, ...longIntervals }, { clock });
  for (const id of ['news', 'extra']) await createChannel(signalbox, id);
  const listeners = numbers(CLIENTS).map((n) => new Listener(scheduleOf(n)));
  const published: { channel: string; at: number }[] = [];

  async function publishTo(...channels: string[]): Promise<void> {
    const drafts = channels.map((channel, n) => ({ to: { channel }, data: published.length + n }));
    await publishMany(signalbox, drafts);
    published.push(...channels.map((channel) => ({ channel, at: now() })));
  }

  async function join(listener: Listener): Promise<void> {
    const { joinsAt, dropsAt, lapsesAt } = listener.schedule;
    const sub = `listener-${listeners.indexOf(listener)}`;
    await listener.open(signalbox, () => {
      const iat = clock.now() / 1000;
      const first = now() === joinsAt && { channels: ['news', 'extra'] };
      return signWithApiKey({
        sub,
        iat,
        exp: iat + LIFETIME,
        ...first,
        ...(now() >= dropsAt && { grants: [NEWS] }),
      });
    });
    if (lapsesAt === NEVER) return;
    const expiresAt = new Date(START + lapsesAt * 1000).toISOString();
    await updateToken(signalbox, listener.tokenId ?? '', { grants: [NEWS, { ...EXTRA, expiresAt }] });
  }

  function allowedTo({ schedule: { joinsAt, lapsesAt, dropsAt, leavesAt } }: Listener): number[] {
    const isAllowed = published.map(
      ({ channel, at }) =>
        at >= joinsAt && at < leavesAt && (channel === 'news' || (at < lapsesAt && at < dropsAt)),
    );
    return numbers(published.length).filter((n) => isAllowed[n]);
  }

  /** Access is checked at delivery, so a message must have been delivered before the clock ends the access to it. */
  async function delivered(): Promise<void> {
    for (const listener of listeners) {
      const count = allowedTo(listener).length;
      await listener.until(() => listener.received.length >= count);
    }
  }

  /** Waits until the clients have done everything that is due at this moment. */
  async function settle(): Promise<void> {
    const moment = now();
    for (const listener of listeners) {
      const { joinsAt, leavesAt } = listener.schedule;
      const age = moment - joinsAt;
      if (moment === leavesAt) await listener.until(() => listener.close !== undefined);
      if (age > 0 && age % PERIOD === 0 && moment < leavesAt - WARNING)
        await listener.until(() => listener.refreshes === age / PERIOD);
    }
    await Promise.all(listeners.filter(({ schedule }) => schedule.joinsAt === moment).map(join));
    const numbersOf = (matches: (listener: Listener) => boolean) =>
      numbers(CLIENTS).filter((n) => matches(listeners[n]!));
    expect(numbersOf(({ close }) => close !== undefined)).toEqual(
      numbersOf(({ schedule }) => schedule.leavesAt <= moment),
    );
  }

  const turningPoints = new Set(
    listeners.flatMap(({ schedule: { lapsesAt, dropsAt, leavesAt } }) => [lapsesAt, dropsAt, leavesAt]),
  );
  turningPoints.delete(NEVER);
  const moments = new Set([...numbers(HOUR / STEP).map((n) => n * STEP), ...turningPoints]);
  for (const moment of [...moments].sort((a, b) => a - b)) {
    const isTurningPoint = turningPoints.has(moment);
    if (isTurningPoint) {
      await clock.advance(START + moment * 1000 - clock.now() - 1);
      await publishTo('news', 'extra');
      await delivered();
    }
    await clock.advance(START + moment * 1000 - clock.now());
    await settle();
    await publishTo(...(isTurningPoint ? ['extra', 'news'] : [moment % 2 === 0 ? 'news' : 'extra']));
  }
  await publishTo('news');

  for (const listener of listeners) {
    const { schedule, received, errors } = listener;
    const isStaying = schedule.leavesAt === NEVER;
    if (isStaying) await listener.until(() => received.at(-1) === published.length - 1);
    expect({ schedule, errors, received }).toEqual({
      schedule,
      errors: [],
      received: allowedTo(listener),
    });
    expect(listener.close?.code).toBe(isStaying ? undefined : 4403);
    expect(await isOnline(signalbox, listener.tokenId ?? '')).toBe(isStaying);
  }
}, 300_000);
