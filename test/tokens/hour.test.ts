import { expect, test } from 'vitest';
import { createChannel, isOnline, updateToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { signWithApiKey } from '../support/moderation.ts';
import { numbers, publishMany } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket, type Close, type RawSocket } from '../support/socket.ts';

/** All times are seconds since the hour began. */
const HOUR = 3600;
const CLIENTS = 225;
/** So many are there for the whole hour. The others stop refreshing within ten minutes. */
const STAYING = 200;
const LIFE = 30;
const WARNING = 5;
/** How long a client goes on with one credential. */
const PERIOD = LIFE - WARNING;
/** Clients come in waves, a step apart, so that one wave is refreshed at each step. */
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

/** What becomes of a client, and when. */
interface Fate {
  joinsAt: number;
  /** Its record lets it hear what is extra until then. */
  lapsesAt: number;
  /** A refresh: from then on its credential leaves out what is extra. */
  dropsAt: number;
  /** The end of its last credential. */
  leavesAt: number;
}

const NEVER = Number.POSITIVE_INFINITY;

function fateOf(n: number): Fate {
  const joinsAt = (n * STEP) % PERIOD;
  const refreshBefore = (moment: number) => joinsAt + Math.floor((moment - joinsAt - 1) / PERIOD) * PERIOD;
  return {
    joinsAt,
    lapsesAt: n % 4 === 1 ? 100 + (n % 7) * 7 : NEVER,
    dropsAt: n % 4 === 2 ? refreshBefore(100 + (n % 3) * 80) : NEVER,
    leavesAt: n < STAYING ? NEVER : refreshBefore(300 + (n % 6) * 50) + LIFE,
  };
}

/** A client on one socket that does nothing but hear, and refresh its credential when it is told to. */
class Listener {
  readonly fate: Fate;
  readonly heard: number[] = [];
  readonly faults: unknown[] = [];
  refreshes = 0;
  tokenId: string | undefined;
  close: Close | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(fate: Fate) {
    this.fate = fate;
  }

  async open(signalbox: TestService, mint: () => string): Promise<void> {
    const socket = await connectSocket(signalbox, { token: mint() });
    socket.send({ id: 'inbox', type: 'subscribe', payload: { query: EVENTS } });
    void socket.closed.then((close) => this.#note(() => (this.close = close)));
    void this.#listen(socket, mint);
    await this.until(() => this.tokenId !== undefined);
  }

  /** Resolves when it holds, which is asked after everything that happens to the client. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => holds() && this.#waiting.delete(look) && resolve();
      this.#waiting.add(look);
      look();
    });
  }

  async #listen(socket: RawSocket, mint: () => string): Promise<void> {
    while (!this.close) {
      const said = await socket.next().catch(() => undefined);
      if (said) this.#note(() => this.#take(said, socket, mint));
    }
  }

  #take({ type, payload }: any, socket: RawSocket, mint: () => string): void {
    if (type === 'error' || payload?.errors) this.faults.push(payload);
    const { events, reauthenticate } = payload?.data ?? {};
    if (reauthenticate) this.refreshes++;
    if (events?.__typename === 'Connected') this.tokenId = events.token.id;
    if (events?.__typename === 'ChannelMessage') this.heard.push(events.message.data);
    if (events?.__typename !== 'TokenExpiring' || this.#isLastCredential()) return;
    const refresh = { query: REAUTHENTICATE, variables: { credential: mint() } };
    socket.send({ id: `refresh-${this.refreshes}`, type: 'subscribe', payload: refresh });
  }

  #isLastCredential(): boolean {
    return this.fate.joinsAt + this.refreshes * PERIOD + LIFE === this.fate.leavesAt;
  }

  #note(happens: () => void): void {
    happens();
    for (const look of this.#waiting) look();
  }
}

test('through an hour 200 clients refresh tokens of 30 seconds in place: all that they may hear they hear once, in order, to the instant', async () => {
  const clock = createManualClock(START);
  const now = () => (clock.now() - START) / 1000;
  // Presence and retention look around seldom: they are not what this is about.
  const seldom = { leaseMs: 300_000, purgeIntervalMs: 3_600_000 };
  await using signalbox = await startService({ expiryWarningSeconds: WARNING, ...seldom }, { clock });
  for (const id of ['news', 'extra']) await createChannel(signalbox, id);
  const listeners = numbers(CLIENTS).map((n) => new Listener(fateOf(n)));
  const said: { channel: string; at: number }[] = [];

  async function tell(...channels: string[]): Promise<void> {
    const drafts = channels.map((channel, n) => ({ to: { channel }, data: said.length + n }));
    await publishMany(signalbox, drafts);
    said.push(...channels.map((channel) => ({ channel, at: now() })));
  }

  async function join(listener: Listener): Promise<void> {
    const { joinsAt, dropsAt, lapsesAt } = listener.fate;
    const sub = `listener-${listeners.indexOf(listener)}`;
    await listener.open(signalbox, () => {
      const iat = clock.now() / 1000;
      const first = now() === joinsAt && { channels: ['news', 'extra'] };
      return signWithApiKey({
        sub,
        iat,
        exp: iat + LIFE,
        ...first,
        ...(now() >= dropsAt && { grants: [NEWS] }),
      });
    });
    if (lapsesAt === NEVER) return;
    const expiresAt = new Date(START + lapsesAt * 1000).toISOString();
    await updateToken(signalbox, listener.tokenId ?? '', { grants: [NEWS, { ...EXTRA, expiresAt }] });
  }

  /** What is due at this moment is done before it passes. */
  async function live(): Promise<void> {
    const moment = now();
    for (const listener of listeners) {
      const { joinsAt, leavesAt } = listener.fate;
      const age = moment - joinsAt;
      if (moment === leavesAt) await listener.until(() => listener.close !== undefined);
      if (age > 0 && age % PERIOD === 0 && moment < leavesAt - WARNING)
        await listener.until(() => listener.refreshes === age / PERIOD);
    }
    await Promise.all(listeners.filter(({ fate }) => fate.joinsAt === moment).map(join));
    const numbersOf = (is: (listener: Listener) => boolean) =>
      numbers(CLIENTS).filter((n) => is(listeners[n]!));
    expect(numbersOf(({ close }) => close !== undefined)).toEqual(
      numbersOf(({ fate }) => fate.leavesAt <= moment),
    );
  }

  const turningPoints = new Set(
    listeners.flatMap(({ fate: { lapsesAt, dropsAt, leavesAt } }) => [lapsesAt, dropsAt, leavesAt]),
  );
  turningPoints.delete(NEVER);
  const moments = new Set([...numbers(HOUR / STEP).map((n) => n * STEP), ...turningPoints]);
  for (const moment of [...moments].sort((a, b) => a - b)) {
    const isTurningPoint = turningPoints.has(moment);
    if (isTurningPoint) {
      await clock.advance(START + moment * 1000 - clock.now() - 1);
      await tell('news', 'extra');
    }
    await clock.advance(START + moment * 1000 - clock.now());
    await live();
    await tell(...(isTurningPoint ? ['extra', 'news'] : [moment % 2 === 0 ? 'news' : 'extra']));
  }
  await tell('news');

  for (const listener of listeners) {
    const { fate, heard, faults } = listener;
    const isStaying = fate.leavesAt === NEVER;
    if (isStaying) await listener.until(() => heard.at(-1) === said.length - 1);
    const { joinsAt, lapsesAt, dropsAt, leavesAt } = fate;
    const mayHear = said.map(
      ({ channel, at }) =>
        at >= joinsAt && at < leavesAt && (channel === 'news' || (at < lapsesAt && at < dropsAt)),
    );
    expect({ fate, faults, heard }).toEqual({
      fate,
      faults: [],
      heard: numbers(said.length).filter((n) => mayHear[n]),
    });
    expect(listener.close?.code).toBe(isStaying ? undefined : 4403);
    expect(await isOnline(signalbox, listener.tokenId ?? '')).toBe(isStaying);
  }
}, 120_000);
