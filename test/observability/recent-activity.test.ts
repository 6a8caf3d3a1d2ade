import { expect, test } from 'vitest';
import { MAX_RECENT } from '../../src/observability/activity-listener.ts';
import {
  MAX_KEPT,
  MAX_KEPT_PER_PROJECT,
  RecentActivities,
} from '../../src/observability/recent-activities.ts';
import { openLobby } from '../support/activity.ts';
import { createChannel, mint, publish, revokeToken, sendDirect } from '../support/backend.ts';
import { createProject } from '../support/projects.ts';
import { queueResults } from '../support/result-queue.ts';
import { type ServiceClient, type TestService } from '../support/service.ts';
import { sseClient } from '../support/sse.ts';

const ACTIVITY = `subscription ($recent: Int, $kinds: [ActivityKind!], $channel: ID, $token: ID, $identity: String, $payloads: Boolean, $perSecond: Int) {
  activity(recent: $recent, kinds: $kinds, channel: $channel, token: $token, identity: $identity, payloads: $payloads, perSecond: $perSecond) {
    kind action event message token identity connection channel address data replayed
  }
}`;

/** The activities of a subscription, which begins with past ones, up to a message with the event `end`. */
async function collect(
  signalbox: ServiceClient,
  variables: object,
  client = signalbox.client(),
): Promise<any[]> {
  const results = queueResults(client, ACTIVITY, { recent: MAX_RECENT, ...variables });
  // The first one tells that the subscription has begun.
  const activities = [(await results.next()).activity];
  await publish(signalbox, 'lobby', 'end');
  while (activities.at(-1).event !== 'end') activities.push((await results.next()).activity);
  results.stop();
  return activities.slice(0, -1);
}

const publishMany = async (signalbox: ServiceClient, events: readonly string[]): Promise<void> => {
  const messages = events.map((event) => ({ channel: 'lobby', event }));
  await signalbox.request(
    'mutation ($messages: [PublishMessageInput!]!) { publishMessages(messages: $messages) { error { code } } }',
    { messages },
  );
};

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

/** Over WebSocket, each run of eight rounds failed when the past and what follows it were taken in two steps. */
const ROUNDS = 8;

const clientOf = (transport: string, signalbox: TestService) =>
  transport === 'SSE' ? sseClient(signalbox, signalbox.apiKey) : signalbox.client();

test.each(['WebSocket', 'SSE'])(
  'begins with the newest activities over %s, the oldest of them first, and goes on without a gap or a repetition',
  async (transport) => {
    await using signalbox = await openLobby();
    await publishMany(signalbox, numbers(1, 90));
    await publishMany(signalbox, numbers(91, 180));
    const client = clientOf(transport, signalbox);
    const follow = (recent: number) => queueResults(client, ACTIVITY, { recent, kinds: ['MESSAGE'] });
    const reference = follow(1);
    expect((await reference.next()).activity.event).toBe('180');
    const done = new AbortController();
    const publishing = (async () => {
      for (let number = 181; !done.signal.aborted; number += 2)
        await Promise.all([publishMany(signalbox, [`${number}`]), publishMany(signalbox, [`${number + 1}`])]);
    })();
    // Each begins while messages are published.
    const all = numbers(1, 180);
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const results = follow(100);
        const received: any[] = [];
        while (received.length < 120) received.push((await results.next()).activity);
        results.stop();
        const last = received.at(-1).event;
        while (!all.includes(last)) all.push((await reference.next()).activity.event);
        const expected = all.slice(all.indexOf(received[0].event), all.indexOf(last) + 1);
        expect(received.map(({ event }) => event)).toEqual(expected);
        expect(received.map(({ replayed }) => replayed)).toEqual(received.map((_, index) => index < 100));
      }
    } finally {
      done.abort();
      await publishing;
    }
  },
);

test('begins with what happened to a token, of every kind, in its order', async () => {
  await using signalbox = await openLobby();
  const { id, credential } = await mint(signalbox, { identity: 'ada', channels: ['lobby'] });
  await mint(signalbox, { identity: 'ben' });
  const ada = signalbox.client({ token: credential });
  const events = queueResults(
    ada,
    'subscription { events { __typename ... on Connected { connection { id } } } }',
  );
  const { connection } = (await events.next()).events;
  await signalbox.request(
    'mutation { publishMessage(channel: "lobby", event: "said") { connections } }',
    {},
    credential,
  );
  await publish(signalbox, 'lobby', 'nobody');
  await sendDirect(signalbox, id, 'psst');
  await signalbox.request(
    'mutation ($c: ID!) { publishDirectMessage(connection: $c, event: "here") { connections } }',
    { c: connection.id },
  );
  await signalbox.ask('mutation { createChannel(input: { id: "x" }) { id } }', {}, credential);
  await revokeToken(signalbox, id);
  await events.ended;
  const client = signalbox.client();
  const follow = (variables: object) => queueResults(client, ACTIVITY, { recent: 50, ...variables });
  const ofToken = follow({ token: id });
  const taken: any[] = [];
  while (taken.length < 9) taken.push((await ofToken.next()).activity);
  const actions = taken.map(({ action, event }) => event ?? action);
  expect(actions.slice(0, 6)).toEqual([
    ...['token.create', 'connection.open', 'presence.join', 'said', 'psst', 'refused'],
  ]);
  expect(actions.slice(6).sort()).toEqual(['connection.close', 'presence.leave', 'token.revoke']);
  for (const activity of taken.slice(0, 7))
    expect(activity).toMatchObject({ token: id, replayed: true, data: null });
  expect((await follow({ kinds: ['MESSAGE'], token: id, recent: 1 }).next()).activity).toMatchObject({
    event: 'psst',
  });
  expect((await follow({ kinds: ['TOKEN'], identity: 'ben' }).next()).activity).toMatchObject({
    action: 'token.create',
    identity: 'ben',
  });
  expect((await follow({ kinds: ['MESSAGE'], recent: 1 }).next()).activity).toMatchObject({
    event: 'here',
    connection: connection.id,
  });
});

test('shows of the past what it shows live: the own project, by the scopes of the API key, and no data', async () => {
  await using signalbox = await openLobby();
  const other = await createProject(signalbox, 'other');
  await createChannel(other, 'lobby');
  const { createApiKey } = await signalbox.request('mutation { createApiKey(scopes: [READ]) { secret } }');
  const ada = await mint(signalbox);
  await signalbox.request(
    `mutation ($t: ID!) {
      publishDirectMessage(token: $t, event: "psst", data: { secret: 1 }) { connections }
      publishMessage(channel: "lobby", event: "said", data: { secret: 2 }) { connections }
    }`,
    { t: ada.id },
  );
  await signalbox.ask('{ tokens { nodes { id } } }', {}, ada.credential);
  await signalbox.ask('{ tokens { nodes { id } } }', {}, 'key_nobody.AAAA');
  const ofOperator = await collect(signalbox, { payloads: true });
  const ofReader = await collect(
    signalbox,
    { payloads: true },
    signalbox.client({ apiKey: createApiKey.secret }),
  );
  const ofOther = await collect(other, { payloads: true });
  const refusals = (activities: any[]) => activities.filter(({ kind }) => kind === 'REFUSAL');
  expect(refusals(ofOperator)).toMatchObject([{ address: '127.0.0.1' }, { address: '127.0.0.1' }]);
  expect(refusals(ofReader)).toMatchObject([{ address: null }]);
  expect(refusals(ofOther)).toEqual([]);
  const kindsOf = (activities: any[]) => new Set(activities.map(({ kind }) => kind));
  expect(kindsOf(ofOperator)).toContain('ADMINISTRATION');
  expect(kindsOf(ofReader)).not.toContain('ADMINISTRATION');
  for (const activities of [ofOperator, ofReader]) {
    const messages = activities.filter(({ kind }) => kind === 'MESSAGE');
    expect(messages.slice(0, 2)).toMatchObject([
      { event: 'psst', data: null, replayed: true },
      { event: 'said', data: null, replayed: true },
    ]);
  }
  expect(ofOther.map(({ event }) => event)).not.toContain('said');
  expect(ofOther.map(({ token }) => token)).not.toContain(ada.id);
  const limited = 'subscription { activity(recent: 1, kinds: [ADMINISTRATION]) { kind } }';
  expect(await queueResults(signalbox.client({ apiKey: createApiKey.secret }), limited).ended).toMatchObject([
    { extensions: { code: 'FORBIDDEN' } },
  ]);
});

test('limits how many past activities are asked for, which do not count against the rate', async () => {
  await using signalbox = await openLobby();
  for (const recent of [-1, MAX_RECENT + 1])
    expect(await queueResults(signalbox.client(), ACTIVITY, { recent }).ended).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'recent' } },
    ]);
  for (let from = 1; from <= 300; from += 100) await publishMany(signalbox, numbers(from, from + 99));
  const past = await collect(signalbox, { perSecond: 1, kinds: ['MESSAGE'] });
  expect(past.map(({ event }) => event)).toEqual(numbers(101, 300));
});

test('keeps a bounded number of activities: traffic pushes out nothing else, and a busy project only the idle ones', () => {
  const kept = new RecentActivities();
  const add = (projectId: string, action: string, kind: 'CONNECTION' | 'TOKEN' = 'CONNECTION') =>
    kept.add({ at: 0, kind, action, projectId, data: { state: 1 } });
  add('a', 'rare', 'TOKEN');
  for (let count = 0; count < 2 * MAX_KEPT_PER_PROJECT; count++) add('a', `${count}`);
  const ofA = kept.of(['a']);
  expect(ofA[0]).toEqual({ at: 0, kind: 'TOKEN', action: 'rare', projectId: 'a', data: undefined });
  expect(ofA.length).toBeGreaterThan(MAX_KEPT_PER_PROJECT / 2);
  expect(ofA.length).toBeLessThanOrEqual(MAX_KEPT_PER_PROJECT + 1);
  expect(ofA.at(-1)?.action).toBe(`${2 * MAX_KEPT_PER_PROJECT - 1}`);
  const projects = Array.from({ length: 3 * MAX_KEPT }, (_, index) => `project-${index}`);
  for (const project of projects) {
    add(project, 'once');
    if (Number(project.slice(8)) % 100 === 0) add('a', 'again', 'TOKEN');
  }
  const all = kept.of(['a', ...projects]);
  expect(all.length).toBeLessThanOrEqual(MAX_KEPT);
  expect(all.length).toBeGreaterThan(MAX_KEPT / 2);
  expect(all.map(({ action }) => action)).toContain('rare');
  expect(kept.of([projects.at(-1)])).toHaveLength(1);
  expect(kept.of([projects[0]])).toEqual([]);
});
