import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { changeSettings, codeOf, createProject } from '../support/projects.ts';
import { startService, type ServiceClient } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

const MESSAGES = `subscription ($c: ID!) { messages(channel: $c) { event } }`;
const CHANNEL = `query ($c: ID!) { channel(id: $c) { id type messages { nodes { event } } } }`;
const refused = [{ extensions: { code: 'UNAUTHENTICATED' } }];

async function allowedActions({ request }: ServiceClient, channel: string): Promise<string> {
  const query = `query ($c: ID!) { viewer { kind allowedActions(channel: $c) } }`;
  const { viewer } = await request(query, { c: channel }, null);
  expect(viewer.kind).toBe('ANONYMOUS');
  return viewer.allowedActions.join(' ');
}

async function createChannels(api: ServiceClient): Promise<void> {
  for (const type of ['UNPROTECTED', 'PUBLIC', 'PRIVATE'])
    await createChannel(api, type.toLowerCase(), { type });
}

test('a caller without a credential reads and receives the messages of UNPROTECTED channels over every transport', async () => {
  await using signalbox = await startService();
  await createChannels(signalbox);
  await publish(signalbox, 'unprotected', 'before');
  expect(await allowedActions(signalbox, 'unprotected')).toBe('SUBSCRIBE');
  expect((await signalbox.request(CHANNEL, { c: 'unprotected' }, null)).channel).toMatchObject({
    messages: { nodes: [{ event: 'before' }] },
  });
  const client = signalbox.client({});
  const subscriptions = [client, sseClient(signalbox)].map((transport) =>
    queueResults(transport, MESSAGES, { c: 'unprotected' }),
  );
  await roundTrip(client);
  while ((await publish(signalbox, 'unprotected', 'live')) < 2);
  for (const messages of subscriptions)
    expect(await messages.next()).toEqual({ messages: { event: 'live' } });
  expect(
    await queueResults(
      client,
      `subscription { events { ... on Connected { token { id } channels { id } } } }`,
    ).next(),
  ).toEqual({
    events: { token: null, channels: [] },
  });
});

test('refuses PUBLIC, PRIVATE and missing channels with the same message when the caller is anonymous', async () => {
  await using signalbox = await startService();
  await createChannels(signalbox);
  const client = signalbox.client({});
  const messageOf = async (c: string) => {
    const { errors } = await signalbox.ask(CHANNEL, { c }, null);
    expect(errors).toMatchObject(refused);
    for (const transport of [client, sseClient(signalbox)])
      expect(await queueResults(transport, MESSAGES, { c }).ended).toMatchObject([
        { message: errors?.[0]?.message },
      ]);
    expect(await allowedActions(signalbox, c)).toBe('');
    return errors?.[0]?.message.replaceAll(c, '…');
  };
  const missing = await messageOf('nowhere');
  for (const channel of ['public', 'private']) expect(await messageOf(channel)).toBe(missing);
});

test.for([
  `mutation { publishMessage(channel: "unprotected", event: "e") { repeated } }`,
  `mutation { setChannelState(channel: "unprotected", state: {}) { id } }`,
  `mutation { publishDirectMessage(identity: "ada", event: "e") { repeated } }`,
  `mutation { subscribeToken(channel: "unprotected", token: "token_1") { createdAt } }`,
  `mutation { mute(channel: "unprotected", identity: "ada") { id } }`,
  `{ explainPermission(channel: "unprotected", action: SUBSCRIBE) { allowed } }`,
  `{ viewer { directMessages { nodes { id } } } }`,
  `subscription { directMessages { id } }`,
  `subscription { presence(channel: "unprotected") { change } }`,
])('refuses %s when the caller is anonymous', async (query) => {
  await using signalbox = await startService();
  await createChannels(signalbox);
  const errors = await queueResults(signalbox.client({}), query).ended;
  expect(errors).toMatchObject(refused);
});

test('refuses connections and channels to anonymous callers when the project disables anonymous access', async () => {
  await using signalbox = await startService({ mode: 'production' });
  const other = await createProject(signalbox, 'other');
  await changeSettings(other, { anonymous: true });
  for (const api of [signalbox, other]) await createChannels(api);
  expect(await allowedActions(signalbox, 'unprotected')).toBe('');
  for (const c of ['unprotected', 'nowhere']) {
    expect(codeOf(await signalbox.ask(CHANNEL, { c }, null))).toBe('UNAUTHENTICATED');
    expect(await queueResults(signalbox.client({}), MESSAGES, { c }).ended).toMatchObject({ code: 4401 });
    expect(await queueResults(sseClient(signalbox), MESSAGES, { c }).ended).toMatchObject(refused);
  }
  const anonymous = signalbox.client({ project: 'other' });
  const messages = queueResults(anonymous, MESSAGES, { c: 'unprotected' });
  await roundTrip(anonymous);
  expect(await publish(other, 'unprotected', 'live')).toBe(1);
  expect(await messages.next()).toEqual({ messages: { event: 'live' } });

  // Guests hold a token, so the setting `anonymous` does not concern them.
  await changeSettings(signalbox, { guests: true });
  const { createGuest } = await signalbox.request(`mutation { createGuest { credential } }`, {}, null);
  expect(codeOf(await signalbox.ask(CHANNEL, { c: 'unprotected' }, createGuest.credential))).toBeUndefined();
});

test('anonymous callers get the actions that the permissions state for ANONYMOUS, and no others', async () => {
  await using signalbox = await startService();
  const kinds = [{ name: 'square', type: 'UNPROTECTED' }];
  const stated = [
    { role: 'ANONYMOUS', kind: 'UNPROTECTED', actions: ['PRESENCE'] },
    { role: 'ANONYMOUS', kind: 'square', actions: ['SUBSCRIBE', 'PRESENCE'] },
    { role: 'ANONYMOUS', kind: 'PUBLIC', actions: [] },
  ];
  await changeSettings(signalbox, { permissions: { kinds, stated } });
  await createChannel(signalbox, 'street', { type: 'UNPROTECTED' });
  await createChannel(signalbox, 'market', { kind: 'square' });
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  expect(await allowedActions(signalbox, 'street')).toBe('PRESENCE');
  expect(await allowedActions(signalbox, 'market')).toBe('SUBSCRIBE PRESENCE');
  expect(await allowedActions(signalbox, 'news')).toBe('');
  const presence = `subscription { presence(channel: "street") { change member { connectionData } } }`;
  const [watcher, other] = [signalbox.client({}), signalbox.client({})];
  const joins = queueResults(watcher, presence);
  await roundTrip(watcher);
  queueResults(other, `subscription { messages(channel: "market") { id } }`);
  await roundTrip(other);
  const { credential } = await mint(signalbox, { connectionData: 'Ada' });
  queueResults(
    signalbox.client({ token: credential }),
    `subscription { messages(channel: "street") { id } }`,
  );
  expect(await joins.next()).toEqual({
    presence: { change: 'JOINED', member: { connectionData: 'Ada' } },
  });
});
