import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { changeSettings, codeOf, createProject } from '../support/projects.ts';
import { startService, type ServiceClient } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

const MESSAGES = `subscription ($c: ID!) { messages(channel: $c) { event } }`;
const CHANNEL = `query ($c: ID!) { channel(id: $c) { id type messages { nodes { event } } } }`;
const refused = [{ extensions: { code: 'UNAUTHENTICATED' } }];

async function may({ request }: ServiceClient, channel: string): Promise<string> {
  const query = `query ($c: ID!) { viewer { kind allowedActions(channel: $c) } }`;
  const { viewer } = await request(query, { c: channel }, null);
  expect(viewer.kind).toBe('ANONYMOUS');
  return viewer.allowedActions.join(' ');
}

async function createAll(doors: ServiceClient): Promise<void> {
  for (const type of ['UNPROTECTED', 'PUBLIC', 'PRIVATE'])
    await createChannel(doors, type.toLowerCase(), { type });
}

test('without a credential one hears what is UNPROTECTED, by every door, and reads its history', async () => {
  await using signalbox = await startService();
  await createAll(signalbox);
  await publish(signalbox, 'unprotected', 'before');
  expect(await may(signalbox, 'unprotected')).toBe('SUBSCRIBE');
  expect((await signalbox.request(CHANNEL, { c: 'unprotected' }, null)).channel).toMatchObject({
    messages: { nodes: [{ event: 'before' }] },
  });
  const client = signalbox.client({});
  const heard = [client, sseClient(signalbox)].map((door) =>
    queueResults(door, MESSAGES, { c: 'unprotected' }),
  );
  await roundTrip(client);
  while ((await publish(signalbox, 'unprotected', 'said')) < 2);
  for (const messages of heard) expect(await messages.next()).toEqual({ messages: { event: 'said' } });
  expect(
    await queueResults(
      client,
      `subscription { events { ... on Connected { token { id } channels { id } } } }`,
    ).next(),
  ).toEqual({
    events: { token: null, channels: [] },
  });
});

test('every other channel is refused in the same words, whether it is there or not', async () => {
  await using signalbox = await startService();
  await createAll(signalbox);
  const client = signalbox.client({});
  const words = async (c: string) => {
    const { errors } = await signalbox.ask(CHANNEL, { c }, null);
    expect(errors).toMatchObject(refused);
    for (const door of [client, sseClient(signalbox)])
      expect(await queueResults(door, MESSAGES, { c }).ended).toMatchObject([
        { message: errors?.[0]?.message },
      ]);
    expect(await may(signalbox, c)).toBe('');
    return errors?.[0]?.message.replaceAll(c, '…');
  };
  const nowhere = await words('nowhere');
  for (const channel of ['public', 'private']) expect(await words(channel)).toBe(nowhere);
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
])('an anonymous caller is refused %s', async (query) => {
  await using signalbox = await startService();
  await createAll(signalbox);
  const answer = await queueResults(signalbox.client({}), query).ended;
  expect(answer).toMatchObject(refused);
});

test('where a project takes no anonymous callers they are known, and refused everywhere', async () => {
  await using signalbox = await startService({ mode: 'production' });
  const other = await createProject(signalbox, 'other');
  await changeSettings(other, { anonymous: true });
  for (const doors of [signalbox, other]) await createAll(doors);
  expect(await may(signalbox, 'unprotected')).toBe('');
  for (const c of ['unprotected', 'nowhere']) {
    expect(codeOf(await signalbox.ask(CHANNEL, { c }, null))).toBe('UNAUTHENTICATED');
    for (const door of [signalbox.client({}), sseClient(signalbox)])
      expect(await queueResults(door, MESSAGES, { c }).ended).toMatchObject(refused);
  }
  const stranger = signalbox.client({ project: 'other' });
  const messages = queueResults(stranger, MESSAGES, { c: 'unprotected' });
  await roundTrip(stranger);
  expect(await publish(other, 'unprotected', 'heard')).toBe(1);
  expect(await messages.next()).toEqual({ messages: { event: 'heard' } });

  // A guest is somebody: where guests are taken, anonymous callers need not be.
  await changeSettings(signalbox, { guests: true });
  const { createGuest } = await signalbox.request(`mutation { createGuest { credential } }`, {}, null);
  expect(codeOf(await signalbox.ask(CHANNEL, { c: 'unprotected' }, createGuest.credential))).toBeUndefined();
});

test('anonymous callers may what is stated for them where anyone may enter, and nothing elsewhere', async () => {
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
  expect(await may(signalbox, 'street')).toBe('PRESENCE');
  expect(await may(signalbox, 'market')).toBe('SUBSCRIBE PRESENCE');
  expect(await may(signalbox, 'news')).toBe('');
  const who = `subscription { presence(channel: "street") { change member { connectionData } } }`;
  const [watcher, walker] = [signalbox.client({}), signalbox.client({})];
  const seen = queueResults(watcher, who);
  await roundTrip(watcher);
  queueResults(walker, `subscription { messages(channel: "market") { id } }`);
  await roundTrip(walker);
  const { credential } = await mint(signalbox, { connectionData: 'Ada' });
  queueResults(
    signalbox.client({ token: credential }),
    `subscription { messages(channel: "street") { id } }`,
  );
  expect(await seen.next()).toEqual({
    presence: { change: 'JOINED', member: { connectionData: 'Ada' } },
  });
});
