import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { startService, type ServiceClient } from '../support/service.ts';

const SET = `mutation ($s: JSON!, $c: ID!) { setChannelState(channel: $c, state: $s) { id version state } }`;
const PATCH = `mutation ($s: JSON!, $c: ID!) { patchChannelState(channel: $c, patch: $s) { id version state } }`;

/** A moderator whose grants allow MODERATE but not SUBSCRIBE, or both. */
const mintModerator = (service: ServiceClient, actions: string[]) =>
  mint(service, { role: 'MODERATOR', grants: [{ channels: '*', actions }], channels: [] });

test('a moderator that may not SUBSCRIBE changes the state without reading it', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'PUBLIC', state: { secret: 1 } });
  const { credential } = await mintModerator(signalbox, ['MODERATE']);
  const ask = (query: string, s: object) => signalbox.request(query, { s, c: 'room' }, credential);
  expect((await ask(PATCH, {})).patchChannelState).toEqual({ id: 'room', version: 2, state: null });
  expect((await ask(PATCH, { topic: 'x' })).patchChannelState.state).toBeNull();
  const stored = (await signalbox.request(`{ channel(id: "room") { state } }`)).channel.state;
  expect(stored).toEqual({ secret: 1, topic: 'x' });
  expect((await ask(SET, { next: true })).setChannelState.state).toBeNull();
});

test('a moderator that may SUBSCRIBE, and an API key, get the new state', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'PUBLIC', state: { a: 1 } });
  const { credential } = await mintModerator(signalbox, ['MODERATE', 'SUBSCRIBE']);
  for (const bearer of [credential, signalbox.apiKey]) {
    const { patchChannelState } = await signalbox.request(PATCH, { s: { b: 2 }, c: 'room' }, bearer);
    expect(patchChannelState.state).toEqual({ a: 1, b: 2 });
  }
});

test('refuses changes of state above the rate of a token and of a channel with RATE_LIMITED', async () => {
  const clock = createManualClock();
  const config = { stateChangesPerSecondPerToken: 2, stateChangesPerSecondPerChannel: 4 };
  await using signalbox = await startService(config, { clock });
  for (const id of ['a', 'b']) await createChannel(signalbox, id, { type: 'PUBLIC' });
  const { credential } = await mint(signalbox, { role: 'MODERATOR' });
  const codeOf = async (query: string, c: string, bearer?: string) =>
    (await signalbox.ask(query, { s: {}, c }, bearer)).errors?.[0]?.extensions['code'];
  for (const query of [SET, PATCH, SET, PATCH]) expect(await codeOf(query, 'a', credential)).toBeUndefined();
  expect(await codeOf(PATCH, 'b', credential)).toBe('RATE_LIMITED');
  for (let count = 0; count < 4; count++) expect(await codeOf(SET, 'a')).toBeUndefined();
  expect(await codeOf(SET, 'a')).toBe('RATE_LIMITED');
  expect(await codeOf(SET, 'b')).toBeUndefined();
  await clock.advance(1000);
  expect(await codeOf(PATCH, 'a', credential)).toBeUndefined();
});

test('a caller that may not MODERATE uses up no part of the rate of a channel', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ stateChangesPerSecondPerChannel: 1 }, { clock });
  await createChannel(signalbox, 'a', { type: 'PUBLIC' });
  const { credential } = await mint(signalbox);
  for (let count = 0; count < 5; count++) {
    const { errors } = await signalbox.ask(SET, { s: {}, c: 'a' }, credential);
    expect(errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  }
  expect((await signalbox.ask(SET, { s: {}, c: 'a' })).errors).toBeUndefined();
});
