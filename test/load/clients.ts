import { mint, revokeToken } from '../support/backend.ts';
import { numbers } from '../support/publish.ts';
import { revoke } from '../support/revocation.ts';
import { type LoadRun } from './load-run.ts';
import {
  bySse,
  countFrom,
  createCuttableClient,
  subscribeToChannel,
  subscribeToEvents,
  createStallingClient,
  createTrackedClient,
} from './subscribers.ts';

/** Clients that stay connected throughout, some with two equal subscriptions. */
export async function addSteadyClients(run: LoadRun): Promise<void> {
  const { subscribers, signalbox } = run;
  const token = await run.mint('busy', 'calm', 'club');
  const { cursor: since } = token;
  for (const number of numbers(12)) {
    const client = run.client(token);
    const name = `steady-${number}`;
    subscribers.push(subscribeToChannel(name, client, 'busy'));
    if (number % 3 === 0) subscribers.push(subscribeToChannel(`${name} again`, client, 'busy'));
    if (number % 3 === 1) subscribers.push(subscribeToChannel(`${name} calm`, client, 'calm'));
    if (number % 3 === 2)
      subscribers.push(subscribeToEvents(`${name} events`, client, ['busy', 'calm', 'club']));
    if (number % 4 === 1) subscribers.push(subscribeToChannel(`${name} club`, client, 'club'));
    if (number % 4 === 0)
      subscribers.push(subscribeToChannel(`${name} a`, client, 'busy', { eventFilter: 'a' }));
  }
  const sse = bySse(signalbox, token);
  subscribers.push(subscribeToEvents('sse events', sse, ['busy', 'calm', 'club']));
  subscribers.push(subscribeToChannel('sse busy', sse, 'busy', { since }));
  subscribers.push(subscribeToChannel('sse a', sse, 'busy', { since, eventFilter: 'a' }));
  const heavyToken = await run.mint('heavy', 'busy');
  for (const number of numbers(2)) {
    subscribers.push(subscribeToChannel(`heavy-${number} heavy`, run.client(heavyToken), 'heavy'));
    subscribers.push(subscribeToEvents(`heavy-${number} events`, run.client(heavyToken), ['heavy', 'busy']));
  }
}

/** Clients whose connections are cut, and which resume from their last cursor. */
export async function addReconnectingClients(run: LoadRun): Promise<void> {
  const { subscribers, signalbox } = run;
  const token = await run.mint('busy', 'calm', 'club');
  const { cursor: since } = token;
  for (const number of numbers(6)) {
    const { tracked, proxy } = await createCuttableClient(signalbox, token, run.nextIdGenerator());
    const { client } = run.add(tracked);
    run.proxies.push(proxy);
    const name = `reconnecting-${number}`;
    if (number % 3 === 0) subscribers.push(subscribeToEvents(name, client, ['busy', 'calm', 'club'], since));
    else subscribers.push(subscribeToChannel(name, client, 'busy', { since }));
    if (number % 3 === 2)
      subscribers.push(subscribeToChannel(`${name} a`, client, 'busy', { since, eventFilter: 'a' }));
  }
}

/** Clients that stop reading a channel with more data than the socket buffers hold. */
export async function addStallingClients(run: LoadRun): Promise<void> {
  const { subscribers, signalbox } = run;
  const token = await run.mint('heavy', 'busy');
  const { cursor: since } = token;
  for (const number of numbers(4)) {
    const tracked = run.add(
      createStallingClient(signalbox, token, number < 2 ? countFrom(number) : undefined),
    );
    run.stallingClients.push(tracked);
    const name = `stalling-${number}`;
    subscribers.push(
      number % 2 === 0
        ? subscribeToEvents(name, tracked.client, ['heavy', 'busy'], since)
        : subscribeToChannel(name, tracked.client, 'heavy', { since }),
    );
  }
}

/** Clients that reauthenticate with new credentials of their token. */
export async function addReauthenticatingClients(run: LoadRun): Promise<void> {
  const token = await run.mint('busy', 'calm');
  for (const number of numbers(3)) {
    const tracked = run.add(createTrackedClient(run.signalbox, token, run.nextIdGenerator()));
    run.reauthenticatingClients.push({ tracked, token });
    const name = `reauthenticating-${number}`;
    run.subscribers.push(subscribeToChannel(name, tracked.client, 'busy'));
    run.subscribers.push(subscribeToEvents(`${name} events`, tracked.client, ['busy', 'calm']));
  }
}

/** Clients whose membership in channel `club` begins and ends repeatedly. Resolves to the id of their token. */
export async function addChangingMembers(run: LoadRun): Promise<string> {
  const { value: token, ...began } = await run.publishing.span(() => run.mint('busy', 'club'));
  run.membershipPeriods.push({ began, ended: undefined });
  for (const number of numbers(3))
    run.changingMembers.push(subscribeToEvents(`changing-${number}`, run.client(token), ['busy', 'club']));
  return token.id;
}

/** Two groups: one token that is revoked by itself, and two tokens of one identity that are revoked together. */
export async function addRevokedGroups(run: LoadRun): Promise<void> {
  const { signalbox } = run;
  const channels = ['busy', 'calm'] as const;
  const alone = await run.mint(...channels);
  const input = { channels, identity: 'eve' };
  const together = [await mint(signalbox, input), await mint(signalbox, input)];
  for (const [name, tokens] of [['alone', [alone]] as const, ['together', together] as const]) {
    const subscribers = tokens.flatMap((token) => [
      ...numbers(3).flatMap((number) => {
        const client = run.client(token);
        return [
          subscribeToChannel(`${name}-${number} busy`, client, 'busy'),
          subscribeToEvents(`${name}-${number} events`, client, channels),
        ];
      }),
      subscribeToEvents(`${name} sse`, bySse(signalbox, token), channels),
    ]);
    run.revokedGroups.push({
      subscribers,
      revoke: () =>
        name === 'alone' ? revokeToken(signalbox, alone.id) : revoke(signalbox, { identity: 'eve' }),
      end: undefined,
    });
  }
}
