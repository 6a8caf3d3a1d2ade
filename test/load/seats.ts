import { mint, revokeToken } from '../support/backend.ts';
import { numbers } from '../support/publish.ts';
import { revoke } from '../support/revocation.ts';
import { type Crowd } from './crowd.ts';
import {
  bySse,
  counted,
  cuttableClient,
  listenToChannel,
  listenToEvents,
  stallingClient,
  watchedClient,
} from './listener.ts';

/** They are there from the beginning to the end, some of them twice. */
export async function seatSteady(crowd: Crowd): Promise<void> {
  const { listeners, signalbox } = crowd;
  const token = await crowd.mint('busy', 'calm', 'club');
  const { cursor: since } = token;
  for (const number of numbers(12)) {
    const client = crowd.client(token);
    const name = `steady-${number}`;
    listeners.push(listenToChannel(name, client, 'busy'));
    if (number % 3 === 0) listeners.push(listenToChannel(`${name} again`, client, 'busy'));
    if (number % 3 === 1) listeners.push(listenToChannel(`${name} calm`, client, 'calm'));
    if (number % 3 === 2) listeners.push(listenToEvents(`${name} events`, client, ['busy', 'calm', 'club']));
    if (number % 4 === 1) listeners.push(listenToChannel(`${name} club`, client, 'club'));
    if (number % 4 === 0) listeners.push(listenToChannel(`${name} a`, client, 'busy', { only: 'a' }));
  }
  const sse = bySse(signalbox, token);
  listeners.push(listenToEvents('sse events', sse, ['busy', 'calm', 'club']));
  listeners.push(listenToChannel('sse busy', sse, 'busy', { since }));
  listeners.push(listenToChannel('sse a', sse, 'busy', { since, only: 'a' }));
  const strong = await crowd.mint('heavy', 'busy');
  for (const number of numbers(2)) {
    listeners.push(listenToChannel(`strong-${number} heavy`, crowd.client(strong), 'heavy'));
    listeners.push(listenToEvents(`strong-${number} events`, crowd.client(strong), ['heavy', 'busy']));
  }
}

/** They are cut off, and come back with their last cursor. */
export async function seatRoamers(crowd: Crowd): Promise<void> {
  const { listeners, signalbox } = crowd;
  const token = await crowd.mint('busy', 'calm', 'club');
  const { cursor: since } = token;
  for (const number of numbers(6)) {
    const { watched, proxy } = await cuttableClient(signalbox, token, crowd.nextIds());
    const { client } = crowd.add(watched);
    crowd.proxies.push(proxy);
    const name = `roamer-${number}`;
    if (number % 3 === 0) listeners.push(listenToEvents(name, client, ['busy', 'calm', 'club'], since));
    else listeners.push(listenToChannel(name, client, 'busy', { since }));
    if (number % 3 === 2) listeners.push(listenToChannel(`${name} a`, client, 'busy', { since, only: 'a' }));
  }
}

/** They stop reading what is more than the network holds. */
export async function seatStalling(crowd: Crowd): Promise<void> {
  const { listeners, signalbox } = crowd;
  const token = await crowd.mint('heavy', 'busy');
  const { cursor: since } = token;
  for (const number of numbers(4)) {
    const watched = crowd.add(stallingClient(signalbox, token, number < 2 ? counted(number) : undefined));
    crowd.stalling.push(watched);
    const name = `stalling-${number}`;
    listeners.push(
      number % 2 === 0
        ? listenToEvents(name, watched.client, ['heavy', 'busy'], since)
        : listenToChannel(name, watched.client, 'heavy', { since }),
    );
  }
}

/** They present another credential of their token now and then. */
export async function seatRenewing(crowd: Crowd): Promise<void> {
  const token = await crowd.mint('busy', 'calm');
  for (const number of numbers(3)) {
    const watched = crowd.add(watchedClient(crowd.signalbox, token, crowd.nextIds()));
    crowd.renewing.push({ watched, token });
    const name = `renewing-${number}`;
    crowd.listeners.push(listenToChannel(name, watched.client, 'busy'));
    crowd.listeners.push(listenToEvents(`${name} events`, watched.client, ['busy', 'calm']));
  }
}

/** They are let into the club and out again. Yields their token. */
export async function seatFlapping(crowd: Crowd): Promise<string> {
  const { value: token, ...began } = await crowd.speech.span(() => crowd.mint('busy', 'club'));
  crowd.stays.push({ began, ended: undefined });
  for (const number of numbers(3))
    crowd.flapping.push(listenToEvents(`flapping-${number}`, crowd.client(token), ['busy', 'club']));
  return token.id;
}

/** One token that is revoked, and two of one identity that are revoked together. */
export async function seatDoomed(crowd: Crowd): Promise<void> {
  const { signalbox } = crowd;
  const channels = ['busy', 'calm'] as const;
  const alone = await crowd.mint(...channels);
  const input = { channels, identity: 'eve' };
  const together = [await mint(signalbox, input), await mint(signalbox, input)];
  for (const [name, tokens] of [['alone', [alone]] as const, ['together', together] as const]) {
    const listeners = tokens.flatMap((token) => [
      ...numbers(3).flatMap((number) => {
        const client = crowd.client(token);
        return [
          listenToChannel(`${name}-${number} busy`, client, 'busy'),
          listenToEvents(`${name}-${number} events`, client, channels),
        ];
      }),
      listenToEvents(`${name} sse`, bySse(signalbox, token), channels),
    ]);
    crowd.doomed.push({
      listeners,
      revoke: () =>
        name === 'alone' ? revokeToken(signalbox, alone.id) : revoke(signalbox, { identity: 'eve' }),
      end: undefined,
    });
  }
}
