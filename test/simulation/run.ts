import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Config } from '../../src/config.ts';
import { startService, type TestService } from '../support/service.ts';
import { createChance } from './chance.ts';
import { checkPresence } from './check-ending.ts';
import { readLog, readPresence } from './ending.ts';
import { Facts } from './facts.ts';
import { Host } from './driver.ts';
import { planLane, placesOf, type Cast } from './plan.ts';
import { lastWordTo, type Evening } from './record.ts';

export interface EveningOptions extends Cast {
  /** How much happens in each lane after all have arrived; `minutes` counts where both are given. */
  acts?: number;
  minutes?: number;
}

export const DEFAULT_EVENING = { tokens: 200, channels: 20, lanes: 8, acts: 200 };

/** Everyone comes from one address, and the log keeps what an evening can bring. */
const CONFIG: Partial<Config> = {
  connectsPerSecond: 1_000_000,
  maxConnectionsPerAddress: 1_000_000,
  publishesPerSecondPerToken: 1_000_000,
  retentionMessages: 10_000_000,
};

/** How long it may take until all have come to rest, have seen the last word, and are counted right. */
const PATIENCE_MS = 20_000;
const BEAT_MS = 20;

/** Plays an evening from its seed and tells what everyone saw and was told. */
export async function playEvening(options: EveningOptions): Promise<Evening> {
  await using signalbox = await startService(CONFIG);
  await using host = new Host(signalbox, {
    seed: options.seed,
    walls: [],
    lost: [],
    places: placesOf(options),
    bearers: [],
    said: [],
    patches: [],
    streams: [],
    asked: [],
    surprises: [],
    ending: { sent: 0, returned: 0, online: [], channels: [], histories: [], mail: [] },
    cuts: 0,
  });
  using _watch = watchMachine(host);
  await host.open();
  await Promise.all(Array.from({ length: options.lanes }, (_, lane) => playLane(host, options, lane)));
  await close(host, signalbox);
  return host.evening;
}

async function playLane(host: Host, options: EveningOptions, lane: number): Promise<void> {
  const { lanes, tokens, acts = DEFAULT_EVENING.acts, minutes } = options;
  const end = Date.now() + (minutes ?? 0) * 60_000;
  let done = -Math.ceil(tokens / lanes);
  for (const act of planLane(options, lane)) {
    await host.perform(act);
    if (minutes === undefined ? ++done >= acts : Date.now() >= end) return;
  }
}

/** Most come back, the storm ends, and everyone who is here waits for a last word. */
async function close(host: Host, signalbox: TestService): Promise<void> {
  const { evening, bearers } = host;
  const phones = [...host.phones.values()];
  const chance = createChance(evening.seed).fork('close');
  host.isStormy = false;
  for (const phone of phones) {
    phone.mend();
    if (chance.next() < 0.7) phone.come();
  }
  const here = phones.filter(({ stream }) => stream.isHere);
  const connected = here.map((phone) => phone.connected());
  await within(host, 'come to rest', Promise.all([host.rest(), ...connected]));
  for (const { name, id, regimes } of bearers.values()) {
    if (regimes.at(-1)?.ended) continue;
    await host.whisper(`token:${name}`, { token: id }, false, lastWordTo(name));
  }
  const seen = here.map((phone) => phone.sees(lastWordTo(phone.stream.bearer)));
  await within(host, 'see the last word', Promise.all(seen));
  Object.assign(evening.ending, await readLog(signalbox, evening.places, bearers.values()));
  await settle(host, signalbox);
  evening.cuts = phones.reduce((sum, { cuts }) => sum + cuts, 0);
}

/** A socket that is gone is gone for us a little before it is for the service. What happens after this is not noted. */
async function settle(host: Host, signalbox: TestService): Promise<void> {
  const { evening } = host;
  const end = Date.now() + PATIENCE_MS;
  do {
    const { value, span } = await host.timed(() => readPresence(signalbox, evening.places));
    Object.assign(evening.ending, value, span);
    if (checkPresence(new Facts(evening)).length === 0) return;
    await nextTurn();
  } while (Date.now() < end);
}

async function within({ evening }: Host, what: string, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      evening.surprises.push(`It took more than ${PATIENCE_MS} ms to ${what}`);
      resolve();
    }, PATIENCE_MS);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** Notes when the machine is so busy that we hardly run: a beat that is late, though nothing was computed. */
function watchMachine(host: Host): Disposable {
  const { evening } = host;
  let last: { wall: number; cpu: number } | undefined;
  const beat = setInterval(() => {
    const at = host.now();
    const { user, system } = process.cpuUsage();
    const now = { wall: evening.walls[at]!, cpu: (user + system) / 1000 };
    const ms = last ? now.wall - last.wall - BEAT_MS - (now.cpu - last.cpu) : 0;
    if (ms > BEAT_MS) evening.lost.push({ at, ms });
    last = now;
  }, BEAT_MS);
  return { [Symbol.dispose]: () => clearInterval(beat) };
}
