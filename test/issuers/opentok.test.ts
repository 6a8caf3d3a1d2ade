import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createChannel,
  isOnline,
  publish,
  revokeToken,
  roundTrip,
  subscribeToken,
  sendDirect,
} from '../support/backend.ts';
import { type ManualClock } from '../support/clock.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import { publishOnSocket } from '../support/publish.ts';
import {
  createIssuer,
  createSystemClock,
  EVENTS,
  mintOpentok,
  OPENTOK,
  opentokSessionId,
  tokenOf,
} from '../support/external-credentials.ts';
import { startService } from '../support/service.ts';

let clock: ManualClock & Disposable;
beforeEach(() => void (clock = createSystemClock()));
afterEach(() => clock[Symbol.dispose]());

const SESSION = opentokSessionId('lesson');
const LAYOUTS = ['JWT', 'T1'] as const;
const next = async (events: ResultQueue<any>) => (await events.next()).events;

test.each(LAYOUTS)('a %s token of npm opentok joins the session that it names', async (layout) => {
  await using signalbox = await startService({}, { clock });
  const issuer = await createIssuer(signalbox, OPENTOK);
  const client = signalbox.client({ token: mintOpentok(SESSION, {}, { layout }) });
  const events = queueResults(client, EVENTS);
  const { token, channels } = await next(events);
  expect({ token, channels }).toMatchObject({
    token: { identity: null, role: 'PUBLISHER' },
    channels: [{ id: SESSION }],
  });
  expect(
    await signalbox.request(`query ($id: ID!) { channel(id: $id) { type tokens { nodes { id issuer } } } }`, {
      id: SESSION,
    }),
  ).toEqual({ channel: { type: 'PRIVATE', tokens: { nodes: [{ id: token.id, issuer }] } } });
  expect(await isOnline(signalbox, token.id)).toBe(true);
  await publish(signalbox, SESSION, 'hello');
  await publishOnSocket(client, { channel: SESSION }, null, { event: 'hello-back' });
  expect(await next(events)).toMatchObject({ message: { event: 'hello' } });
  expect(await next(events)).toMatchObject({
    message: { event: 'hello-back', sender: { token: token.id } },
  });
  expect(await sendDirect(signalbox, token.id, 'to-the-token')).toBe(1);
  expect(await next(events)).toMatchObject({ message: { event: 'to-the-token' } });

  await revokeToken(signalbox, token.id);
  expect(await next(events)).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_REVOKED' });
  expect(await events.ended).toMatchObject({ code: 4403 });
});

const ALLOWED = {
  subscriber: ['SUBSCRIBE', 'PRESENCE'],
  publisher: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'],
  publisheronly: ['PUBLISH'],
  moderator: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'],
};

test.each(
  LAYOUTS.flatMap((layout) => Object.entries(ALLOWED).map(([role, allowed]) => ({ layout, role, allowed }))),
)(
  'a $layout token with the role $role has the actions of the role in its session, and none in other channels',
  async ({ layout, role, allowed }) => {
    await using signalbox = await startService({}, { clock });
    await createIssuer(signalbox, OPENTOK);
    for (const type of ['PUBLIC', 'UNPROTECTED']) await createChannel(signalbox, type, { type });
    const credential = mintOpentok(SESSION, { role }, { layout });
    const { viewer } = await signalbox.request(
      `query ($c: ID!) { viewer { session: allowedActions(channel: $c) a: allowedActions(channel: "PUBLIC") b: allowedActions(channel: "UNPROTECTED") } }`,
      { c: SESSION },
      credential,
    );
    expect({ ...viewer, session: viewer.session.toSorted() }).toEqual({
      session: allowed.toSorted(),
      a: [],
      b: [],
    });

    const isAllowed = async (query: string) =>
      (await signalbox.ask(query, { c: SESSION }, credential)).errors === undefined;
    expect({
      SUBSCRIBE: await isAllowed(`query ($c: ID!) { channel(id: $c) { messages { nodes { event } } } }`),
      PUBLISH: await isAllowed(
        `mutation ($c: ID!) { publishMessage(channel: $c, event: "hi") { repeated } }`,
      ),
      MODERATE: await isAllowed(`mutation ($c: ID!) { setChannelState(channel: $c, state: {}) { id } }`),
    }).toEqual({
      SUBSCRIBE: allowed.includes('SUBSCRIBE'),
      PUBLISH: allowed.includes('PUBLISH'),
      MODERATE: allowed.includes('MODERATE'),
    });
  },
);

test('a publisheronly token publishes to its session and receives nothing from it', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, OPENTOK);
  const subscriber = queueResults(signalbox.client({ token: mintOpentok(SESSION) }), EVENTS);
  await next(subscriber);
  const client = signalbox.client({ token: mintOpentok(SESSION, { role: 'publisheronly' }) });
  const publisher = queueResults(client, EVENTS);
  const { token, channels } = await next(publisher);
  expect(channels).toEqual([]);
  await publishOnSocket(client, { channel: SESSION }, null, { event: 'one-way' });
  expect(await next(subscriber)).toMatchObject({
    message: { event: 'one-way', sender: { token: token.id } },
  });
  await sendDirect(signalbox, token.id, 'sentinel');
  expect(await next(publisher)).toMatchObject({ message: { event: 'sentinel' } });
});

test('other members see connection data in presence and in the sender of messages', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, OPENTOK);
  const client = signalbox.client({ token: mintOpentok(SESSION, { role: 'subscriber' }) });
  const events = queueResults(client, EVENTS);
  await next(events);
  const presence = queueResults(
    client,
    `subscription ($c: ID!) { presence(channel: $c) { change member { connectionData } } }`,
    { c: SESSION },
  );
  await roundTrip(client);
  for (const layout of LAYOUTS) {
    const data = `name=Ada & ${layout}+${'é'.repeat(400)}`;
    const other = signalbox.client({ token: mintOpentok(SESSION, { data }, { layout }) });
    queueResults(other, EVENTS);
    expect(await presence.next()).toEqual({
      presence: { change: 'JOINED', member: { connectionData: data } },
    });
    await publishOnSocket(other, { channel: SESSION }, null, { event: 'hi' });
    expect(await next(events)).toMatchObject({
      message: { sender: { connectionData: data, identity: null } },
    });
  }
});

test('each OpenTok token has its own record, finds it again on every connect, and is a member of its session only', async () => {
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, OPENTOK);
  await createChannel(signalbox, 'elsewhere');
  const credentials = LAYOUTS.flatMap((layout) => [1, 2].map(() => mintOpentok(SESSION, {}, { layout })));
  const ids = [];
  for (const credential of credentials) ids.push((await tokenOf(signalbox, credential)).id);
  expect(new Set(ids).size).toBe(4);
  for (const [index, credential] of credentials.entries()) {
    expect((await tokenOf(signalbox, credential)).id).toBe(ids[index]);
  }
  // The grants of the credential cover its session only, so the backend cannot subscribe it to another channel.
  await expect(subscribeToken(signalbox, 'elsewhere', ids[0])).rejects.toThrow('no grant of the credential');
  const members = async (session: string) =>
    (
      await signalbox.request(`query ($c: ID!) { channel(id: $c) { tokens { nodes { id } } } }`, {
        c: session,
      })
    ).channel.tokens.nodes;
  expect(await members(SESSION)).toHaveLength(4);
  const other = opentokSessionId('another-lesson');
  await tokenOf(signalbox, mintOpentok(other));
  expect(await members(other)).toHaveLength(1);
});
