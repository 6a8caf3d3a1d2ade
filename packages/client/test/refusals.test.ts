import { expect, test } from 'vitest';
import { startService } from '../../../test/support/service.ts';
import { type Runtime } from '../src/index.ts';
import { connectClient, createChannel, createMember, eventually } from './support/client.ts';
import { connectedWith, startScriptedService } from './support/scripted-service.ts';

/** No wait between two attempts. */
const eager: Partial<Runtime> = { random: () => 0 };

test('says that the service refuses the events, and asks again until it does not', async () => {
  const service = await startScriptedService(({ kind, id }, { fail, number }) => {
    if (kind === 'events' && number < 4) fail(id, 'FORBIDDEN', false);
    return kind === 'events' && number < 4;
  });
  await using client = connectClient({
    url: service.url,
    credential: 'eyJ.fixed.credential',
    runtime: eager,
  });
  const waits: unknown[] = [];
  client.on('status', ({ state, error }) => state === 'waiting' && waits.push(error?.code));
  await client.channel('lobby').publish('message', { text: 'at last' });
  expect(waits).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']);
  expect(service.connections).toBe(4);
});

test('waits longer each time that the service refuses the events', async () => {
  const service = await startScriptedService(({ kind, id }, { fail }) => {
    if (kind === 'events') fail(id, 'GRAPHQL_VALIDATION_FAILED', false);
    return kind === 'events';
  });
  const waits: unknown[] = [];
  await using client = connectClient({
    ...{ url: service.url, credential: 'eyJ.fixed.credential' },
    runtime: {
      ...{ now: () => 0, random: () => 0.999_999 },
      // Not the limits of the socket, which are 10 s and more.
      setTimer: (action, ms) => setTimeout(action, ms >= 10_000 ? ms : ms / 100),
    },
  });
  client.on('status', ({ state, retryAt }) => state === 'waiting' && waits.push(retryAt));
  client.connect();
  await eventually(() => waits.length >= 5);
  expect(waits.slice(0, 5)).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
});

test('shows a PRIVATE channel, with members and state, once the token is subscribed', async () => {
  await using service = await startService();
  await createChannel(service, 'attic');
  const [{ token, credential }, bob] = [
    await createMember(service, 'ada', []),
    await createMember(service, 'bob', ['attic']),
  ];
  await service.request('mutation { setChannelState(channel: "attic", state: { topic: 1 }) { id } }');
  await using other = connectClient({ url: service.url, credential: bob.credential });
  await using client = connectClient({ url: service.url, credential });
  const attic = client.channel('attic');
  const stop = attic.subscribe(() => undefined);
  await eventually(() => attic.getSnapshot().error);
  await service.request(
    'mutation ($token: ID!) { subscribeToken(channel: "attic", token: $token) { createdAt } }',
    { token },
  );
  other.connect();
  await eventually(() => attic.presence.members.map(({ key }) => key).join() === 'ada,bob' && attic.state);
  await other.channel('attic').publish('message', { text: 'hello' });
  await eventually(() => attic.getSnapshot().messages.length === 1);
  expect(attic.getSnapshot()).toMatchObject({ state: { topic: 1 }, error: undefined });
  stop();
});

test('sees the members of a PUBLIC channel once the grants of the token allow it, and who comes later', async () => {
  await using service = await startService();
  await createChannel(service, 'square', 'PUBLIC');
  const grants = (actions: string[]) => ({ grants: [{ channels: 'square', actions }] });
  const ada = await createMember(service, 'ada', [], grants(['SUBSCRIBE']));
  const bob = await createMember(service, 'bob', ['square']);
  await using other = connectClient({ url: service.url, credential: bob.credential });
  await using client = connectClient({ url: service.url, credential: ada.credential });
  const square = client.channel('square');
  const seen: string[] = [];
  square.on('message', ({ data }) => seen.push(data.text));
  const stop = square.subscribe(() => undefined);
  const publish = (text: string) =>
    service.request(
      'mutation ($data: JSON) { publishMessage(channel: "square", event: "message", data: $data) { connections } }',
      { data: { text } },
    );
  await eventually(() => client.viewer && !square.getSnapshot().isLoading);
  await publish('before');
  await eventually(() => seen.length === 1);
  expect(square.presence.members).toEqual([]);
  await service.request(
    'mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }',
    { id: ada.token, input: grants(['SUBSCRIBE', 'PRESENCE']) },
  );
  await publish('after');
  other.connect();
  await eventually(() => square.presence.members.some(({ key }) => key === 'bob'));
  await other.close();
  await eventually(() => square.presence.members.every(({ key }) => key !== 'bob'));
  expect(seen).toEqual(['before', 'after']);
  stop();
});

test('subscribes to the presence again when the service had no capacity for it', async () => {
  const service = await startScriptedService(({ kind, id }, { next, fail }) => {
    if (kind === 'events') next(id, connectedWith({ channels: [] }));
    if (kind === 'presence' && service.of('presence').length < 3) fail(id, 'UNAVAILABLE', true);
    return kind === 'events' || kind === 'presence';
  });
  await using client = connectClient({ url: service.url, credential: 'anonymous', runtime: eager });
  const stop = client.channel('lobby').subscribe(() => undefined);
  await eventually(() => service.of('presence').length === 3);
  stop();
});

test('never connects as an anonymous caller because a credential function returns nothing', async () => {
  const service = await startScriptedService();
  await using client = connectClient({ url: service.url, credential: (() => undefined) as never });
  const errors: unknown[] = [];
  client.on('status', ({ error }) => error && errors.push(error.message));
  client.connect();
  await eventually(() => errors.length > 0);
  expect(errors[0]).toBe('The credential function returned no credential.');
  expect(service.connections).toBe(0);
});
