import { expect, test } from 'vitest';
import { createChannel, mint, roundTrip } from '../support/backend.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

const SET = `mutation ($state: JSON!, $ifVersion: Int) {
  setChannelState(channel: "room", state: $state, ifVersion: $ifVersion) { state version }
}`;
const PATCH = `mutation ($patch: JSON!, $ifVersion: Int) {
  patchChannelState(channel: "room", patch: $patch, ifVersion: $ifVersion) { state version }
}`;
const STATE = `subscription { channelState(channel: "room") { state version } }`;
const EVENTS = `subscription { events { __typename ... on ChannelStateUpdated { channel { id state version } } } }`;

const FIFTY = Array.from({ length: 50 }, (_, n) => n);
const ALL_FIFTY = Object.fromEntries(FIFTY.map((n) => [`p${n}`, n]));

async function stateOf({ request }: TestService): Promise<{ state: unknown; version: number }> {
  return (await request(`{ channel(id: "room") { state version } }`)).channel;
}

test('increments the version with every setChannelState and patchChannelState', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { state: { a: 1 } });
  expect(await stateOf(signalbox)).toEqual({ state: { a: 1 }, version: 1 });
  expect((await signalbox.request(SET, { state: { b: { c: 1, d: 2 }, e: [1] } })).setChannelState).toEqual({
    state: { b: { c: 1, d: 2 }, e: [1] },
    version: 2,
  });
  const patch = { b: { c: null, f: 'new' }, e: [2, 3] };
  expect((await signalbox.request(PATCH, { patch })).patchChannelState).toEqual({
    state: { b: { d: 2, f: 'new' }, e: [2, 3] },
    version: 3,
  });
  expect((await signalbox.request(SET, { state: 'anything' })).setChannelState.state).toBe('anything');
  expect(await stateOf(signalbox)).toEqual({ state: 'anything', version: 4 });
});

test('accepts one of several concurrent writers with ifVersion and reports the version to the others', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const answers = await Promise.all([
    signalbox.ask(SET, { state: 'first', ifVersion: 1 }),
    signalbox.ask(SET, { state: 'second', ifVersion: 1 }),
    signalbox.ask(PATCH, { patch: 'third', ifVersion: 1 }),
  ]);
  const refused = answers.filter(({ errors }) => errors);
  expect(refused).toHaveLength(2);
  for (const { errors } of refused)
    expect(errors).toMatchObject([{ extensions: { code: 'CONFLICT', retryable: false, version: 2 } }]);
  const { version } = await stateOf(signalbox);
  expect(version).toBe(2);
  expect(
    (await signalbox.request(PATCH, { patch: { now: true }, ifVersion: version })).patchChannelState.version,
  ).toBe(3);
});

test('applies all of fifty concurrent patches sent over HTTP', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await Promise.all(FIFTY.map((n) => signalbox.request(PATCH, { patch: { [`p${n}`]: n } })));
  expect(await stateOf(signalbox)).toEqual({ state: ALL_FIFTY, version: 51 });
});

test('applies all of fifty patches sent at once over one WebSocket', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const client = signalbox.client();
  await roundTrip(client);
  const states = queueResults(client, STATE);
  expect((await states.next()).channelState.version).toBe(1);
  const patches = FIFTY.map((n) => queueResults(client, PATCH, { patch: { [`p${n}`]: n } }).next());
  const versions = (await Promise.all(patches)).map(({ patchChannelState }) => patchChannelState.version);
  expect(versions.sort((a, b) => a - b)).toEqual(FIFTY.map((n) => n + 2));
  expect(await stateOf(signalbox)).toEqual({ state: ALL_FIFTY, version: 51 });
  for (const n of FIFTY) expect((await states.next()).channelState.version).toBe(n + 2);
});

test('channelState delivers the current state, then each change once and in order, to every caller', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'UNPROTECTED', state: { n: 0 } });
  const { credential } = await mint(signalbox);
  const subscriptions: ResultQueue<any>[] = [{}, { token: credential }, { apiKey: signalbox.apiKey }].map(
    (params) => queueResults(signalbox.client(params), STATE),
  );
  for (const subscription of subscriptions) {
    expect(await subscription.next()).toEqual({ channelState: { state: { n: 0 }, version: 1 } });
  }
  for (const n of [1, 2, 3]) await signalbox.request(SET, { state: { n } });
  // A change of another property must not deliver a state.
  await signalbox.request(
    `mutation { updateChannel(id: "room", input: { history: { messages: 5 } }) { id } }`,
  );
  await signalbox.request(PATCH, { patch: { n: 4 } });
  for (const subscription of subscriptions) {
    for (const n of [1, 2, 3, 4]) {
      expect(await subscription.next()).toEqual({ channelState: { state: { n }, version: n + 1 } });
    }
  }
  const late = queueResults(signalbox.client(), STATE);
  expect(await late.next()).toEqual({ channelState: { state: { n: 4 }, version: 5 } });
});

test('channelState delivers the latest state when the state changes while the client subscribes', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const client = signalbox.client();
  await roundTrip(client);
  const states = queueResults(client, STATE);
  const changed = queueResults(client, SET, { state: 'changed' });
  await changed.next();
  expect(await states.until(({ channelState }) => channelState.version === 2)).toEqual({
    channelState: { state: 'changed', version: 2 },
  });
});

test('delivers ChannelStateUpdated to the members of the channel only', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  await createChannel(signalbox, 'lobby');
  const member = await mint(signalbox, { channels: ['room'] });
  const other = await mint(signalbox, { channels: ['lobby'] });
  const [memberEvents, otherEvents] = [member, other].map(({ credential }) =>
    queueResults(signalbox.client({ token: credential }), EVENTS),
  );
  await memberEvents!.next();
  await otherEvents!.next();
  await signalbox.request(SET, { state: { open: true } });
  await signalbox.request(`mutation { setChannelState(channel: "lobby", state: "sentinel") { id } }`);
  expect(await memberEvents!.next()).toEqual({
    events: { __typename: 'ChannelStateUpdated', channel: { id: 'room', state: { open: true }, version: 2 } },
  });
  expect(await otherEvents!.next()).toMatchObject({
    events: { channel: { id: 'lobby', state: 'sentinel' } },
  });
});

test.for([
  {
    document: 'a state above the limit',
    query: SET,
    variables: { state: 'x'.repeat(260) },
    extensions: { code: 'PAYLOAD_TOO_LARGE', limit: 256, field: 'state' },
  },
  {
    document: 'a patch whose result is above the limit',
    query: PATCH,
    variables: { patch: { b: 'x'.repeat(100) } },
    extensions: { code: 'PAYLOAD_TOO_LARGE', limit: 256, field: 'state' },
  },
  {
    document: 'a patch that is itself above the limit',
    query: PATCH,
    variables: { patch: { b: 'x'.repeat(300) } },
    extensions: { code: 'PAYLOAD_TOO_LARGE', limit: 256, field: 'patch' },
  },
  {
    document: 'a state 33 levels deep',
    query: SET,
    variables: { state: JSON.parse('['.repeat(33) + ']'.repeat(33)) },
    extensions: { code: 'BAD_USER_INPUT', field: 'state' },
  },
])('refuses $document and leaves the state unchanged', async ({ query, variables, extensions }) => {
  await using signalbox = await startService({ maxStateBytes: 256 });
  const state = { a: 'x'.repeat(200) };
  await createChannel(signalbox, 'room', { state });
  expect((await signalbox.ask(query, variables)).errors).toMatchObject([{ extensions }]);
  expect(await stateOf(signalbox)).toEqual({ state, version: 1 });
});

test('stores members named like properties of Object.prototype as plain data', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room');
  const patch = JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":1},"toString":"mine"}');
  await signalbox.request(PATCH, { patch });
  const { state } = await stateOf(signalbox);
  expect(JSON.stringify(state)).toBe(JSON.stringify(patch));
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
});
