import { expect, test } from 'vitest';
import { createChannel, mint, roundTrip, updateToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

const SET = `mutation ($state: JSON) { setPresence(state: $state) { state } }`;
const MESSAGES = `subscription ($c: ID!) { messages(channel: $c) { event } }`;
const MUTE = `mutation ($t: ID!, $c: ID, $u: DateTime) { mute(token: $t, channel: $c, until: $u) { kind } }`;

/** Subscribes to the presence of a channel with the API key. Live once it resolves. */
async function watch(signalbox: TestService, channel: string) {
  const client = signalbox.client();
  const changes = queueResults(
    client,
    `subscription ($c: ID!) { presence(channel: $c) { change member { state } } }`,
    { c: channel },
  );
  await roundTrip(client);
  return async () => {
    const { change, member } = (await changes.next()).presence;
    return `${change} ${JSON.stringify(member.state)}`;
  };
}

const statesIn = async ({ request }: TestService, channel: string): Promise<unknown[]> =>
  (
    await request(`query ($c: ID!) { channel(id: $c) { presence { members { nodes { state } } } } }`, {
      c: channel,
    })
  ).channel.presence.members.nodes.map(({ state }: { state: unknown }) => state);

const codeOfEnd = async (taken: ResultQueue<unknown>) =>
  ((await taken.ended) as { extensions: { code: string } }[])[0]?.extensions.code;

/** A client of a new token that is in `channels`, with watchers of their presence that have seen it join. */
async function join(signalbox: TestService, input: object, ...channels: string[]) {
  const watchers = [];
  for (const channel of channels) watchers.push(await watch(signalbox, channel));
  const token = await mint(signalbox, input);
  const client = signalbox.client({ token: token.credential }, { lazy: false });
  for (const [index, channel] of channels.entries()) {
    queueResults(client, MESSAGES, { c: channel });
    expect(await watchers[index]!()).toBe('JOINED null');
  }
  return { token, client, watchers, set: (state: unknown) => queueResults(client, SET, { state }) };
}

test.each([
  ['SUBSCRIBER', 'PUBLIC'],
  ['GUEST', 'UNPROTECTED'],
])('a %s is present but shows no state', async (role, type) => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type });
  const { set, client } = await join(signalbox, { role }, 'room');
  expect(await codeOfEnd(set('buy now'))).toBe('FORBIDDEN');
  expect(await statesIn(signalbox, 'room')).toEqual([null]);
  expect(await set(null).next()).toEqual({ setPresence: { state: null } });
  await roundTrip(client);
});

test('an anonymous connection shows no state', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'UNPROTECTED' });
  const next = await watch(signalbox, 'room');
  const client = signalbox.client({}, { lazy: false });
  queueResults(client, MESSAGES, { c: 'room' });
  await next();
  expect(await codeOfEnd(queueResults(client, SET, { state: 1 }))).toBe('UNAUTHENTICATED');
});

test('a state that is set before joining is hidden where the token may not PUBLISH', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const next = await watch(signalbox, 'room');
  const { credential } = await mint(signalbox, { role: 'SUBSCRIBER' });
  const client = signalbox.client({ token: credential }, { lazy: false });
  expect(await queueResults(client, SET, { state: 'buy now' }).next()).toEqual({
    setPresence: { state: 'buy now' },
  });
  queueResults(client, MESSAGES, { c: 'room' });
  expect(await next()).toBe('JOINED null');
  expect(await statesIn(signalbox, 'room')).toEqual([null]);
});

test('each channel decides: a token that is muted in one channel shows its state in the other', async () => {
  await using signalbox = await startService();
  for (const id of ['a', 'b']) await createChannel(signalbox, id, { type: 'PUBLIC' });
  const { token, set, watchers } = await join(signalbox, {}, 'a', 'b');
  const [inA, inB] = watchers as [() => Promise<string>, () => Promise<string>];
  await set('here').next();
  expect([await inA(), await inB()]).toEqual(['UPDATED "here"', 'UPDATED "here"']);
  await signalbox.request(MUTE, { t: token.id, c: 'a' });
  expect(await inA()).toBe('UPDATED null');
  expect([await statesIn(signalbox, 'a'), await statesIn(signalbox, 'b')]).toEqual([[null], ['here']]);
  await set('shout').next();
  expect(await inB()).toBe('UPDATED "shout"');
  expect(await statesIn(signalbox, 'a')).toEqual([null]);
  await signalbox.request(`mutation ($t: ID!) { unmute(token: $t, channel: "a") { kind } }`, { t: token.id });
  expect(await inA()).toBe('UPDATED "shout"');
});

test('a mute of the whole project refuses a new state, and its end shows the old one again', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ leaseMs: 300_000 }, { clock });
  await createChannel(signalbox, 'a', { type: 'PUBLIC' });
  const { token, set, watchers } = await join(signalbox, {}, 'a');
  const inA = watchers[0]!;
  await set('here').next();
  await inA();
  await signalbox.request(MUTE, { t: token.id, u: new Date(clock.now() + 60_000).toISOString() });
  expect(await inA()).toBe('UPDATED null');
  expect(await codeOfEnd(set('again'))).toBe('FORBIDDEN');
  await clock.advance(60_000);
  expect(await inA()).toBe('UPDATED "here"');
});

test('a change of the role, the grants and the channel type hides the state', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'a', { type: 'PUBLIC' });
  const { token, set, watchers } = await join(signalbox, {}, 'a');
  const inA = watchers[0]!;
  await set(1).next();
  expect(await inA()).toBe('UPDATED 1');
  await updateToken(signalbox, token.id, { role: 'SUBSCRIBER' });
  expect(await inA()).toBe('UPDATED null');
  await updateToken(signalbox, token.id, { role: 'PUBLISHER' });
  expect(await inA()).toBe('UPDATED 1');
  await updateToken(signalbox, token.id, { grants: [{ channels: 'a', actions: ['SUBSCRIBE'] }] });
  expect(await inA()).toBe('UPDATED null');
  await updateToken(signalbox, token.id, { grants: null });
  expect(await inA()).toBe('UPDATED 1');
  const stated = [{ role: 'PUBLISHER', kind: 'UNPROTECTED', actions: ['SUBSCRIBE'] }];
  await signalbox.request(
    `mutation ($p: PermissionsInput!) { updateProject(settings: { permissions: $p }) { id } }`,
    { p: { stated } },
  );
  await signalbox.request(`mutation { updateChannel(id: "a", input: { type: UNPROTECTED }) { id } }`);
  expect(await inA()).toBe('UPDATED null');
});

test('setPresence counts as a publish', async () => {
  const clock = createManualClock();
  const config = { publishesPerSecondPerToken: 2, leaseMs: 300_000 };
  await using signalbox = await startService(config, { clock });
  await createChannel(signalbox, 'a', { type: 'PUBLIC' });
  const { set } = await join(signalbox, {}, 'a');
  for (let count = 0; count < 4; count++) await set(count).next();
  expect(await codeOfEnd(set(4))).toBe('RATE_LIMITED');
});
