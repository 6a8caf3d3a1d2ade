import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { createLog } from '../support/log.ts';
import {
  MODERATION_FIELDS,
  tryModerate,
  moderate,
  openInbox,
  outcomeOf,
  signWithApiKey,
  type ModerationField,
  type ModerationArguments,
} from '../support/moderation.ts';
import { startService, type TestService } from '../support/service.ts';

/** Creates two channels and a token that is subscribed to both: the target of all actions. */
async function createTarget(signalbox: TestService) {
  await createChannel(signalbox, 'hall');
  await createChannel(signalbox, 'square', { type: 'PUBLIC' });
  return mint(signalbox, { identity: 'eve', channels: ['hall', 'square'] });
}

/** Attempts each act; returns the common outcome, or the outcomes by act if they differ. */
async function outcomeOfAll(
  signalbox: TestService,
  args: ModerationArguments,
  bearer: string | null,
  acts: readonly ModerationField[] = MODERATION_FIELDS,
): Promise<unknown> {
  const outcomes: Record<string, unknown> = {};
  for (const act of acts) outcomes[act] = await outcomeOf(tryModerate(signalbox, act, args, bearer));
  const [first, ...others] = new Set(Object.values(outcomes));
  return others.length === 0 ? first : outcomes;
}

const MODERATE = (channels: string) => [{ channels, actions: ['MODERATE'] }];
const permissions = {
  roles: [
    { name: 'HOST', like: 'PUBLISHER' },
    { name: 'STAGEHAND', like: 'MODERATOR' },
  ],
  stated: [
    { role: 'HOST', kind: 'PUBLIC', actions: ['SUBSCRIBE', 'MODERATE'] },
    { role: 'STAGEHAND', kind: 'PUBLIC', actions: ['SUBSCRIBE', 'PUBLISH'] },
  ],
};

/** The expected outcomes of moderating in a PRIVATE channel, in a PUBLIC one, and in a missing channel or all channels. */
const callers: Record<string, { input: object | null; hall: string; square: string; all?: string }> = {
  'a moderator that is a member': {
    input: { role: 'MODERATOR', channels: ['hall'] },
    hall: 'done',
    square: 'done',
  },
  'a moderator that is not a member': { input: { role: 'MODERATOR' }, hall: 'FORBIDDEN', square: 'done' },
  'a moderator whose grants cover one channel': {
    input: { role: 'MODERATOR', channels: [], grants: MODERATE('squ*') },
    hall: 'FORBIDDEN',
    square: 'done',
  },
  'a moderator whose grants cover other channels': {
    input: { role: 'MODERATOR', grants: MODERATE('room:*') },
    hall: 'FORBIDDEN',
    square: 'FORBIDDEN',
  },
  'a moderator whose grants do not include MODERATE': {
    input: {
      role: 'MODERATOR',
      channels: ['hall'],
      grants: [{ channels: '*', actions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'] }],
    },
    hall: 'FORBIDDEN',
    square: 'FORBIDDEN',
  },
  'a custom role with MODERATE in PUBLIC channels': {
    input: { customRole: 'HOST', channels: ['hall'] },
    hall: 'FORBIDDEN',
    square: 'done',
  },
  'a custom role like MODERATOR without MODERATE in PUBLIC channels': {
    input: { customRole: 'STAGEHAND', channels: ['hall'] },
    hall: 'done',
    square: 'FORBIDDEN',
  },
  'a publisher': { input: { channels: ['hall'] }, hall: 'FORBIDDEN', square: 'FORBIDDEN' },
  'a subscriber': {
    input: { role: 'SUBSCRIBER', channels: ['hall'] },
    hall: 'FORBIDDEN',
    square: 'FORBIDDEN',
  },
  'a guest': { input: { role: 'GUEST' }, hall: 'FORBIDDEN', square: 'FORBIDDEN' },
  'an anonymous caller': {
    input: null,
    hall: 'UNAUTHENTICATED',
    square: 'UNAUTHENTICATED',
    all: 'UNAUTHENTICATED',
  },
};

for (const [caller, { input, hall, square, all = 'FORBIDDEN' }] of Object.entries(callers)) {
  test(`${caller} may moderate only where it has the MODERATE action`, async () => {
    await using signalbox = await startService();
    const { id: token } = await createTarget(signalbox);
    await signalbox.request(
      `mutation ($settings: ProjectSettingsInput!) { updateProject(settings: $settings) { id } }`,
      { settings: { permissions } },
    );
    const bearer = input && (await mint(signalbox, input)).credential;
    const outcomeIn = (channel: string) => outcomeOfAll(signalbox, { token, channel }, bearer);
    expect({ hall: await outcomeIn('hall'), square: await outcomeIn('square') }).toEqual({ hall, square });
    // A missing channel is refused like a forbidden one, so that its existence is not revealed.
    expect(await outcomeIn('nowhere')).toBe(all);
    const channelOptional: ModerationField[] = ['mute', 'unmute', 'disconnect', 'restrictions'];
    expect(await outcomeOfAll(signalbox, { token }, bearer, channelOptional)).toBe(all);
  });
}

test('an API key may moderate every existing channel, and all channels at once', async () => {
  await using signalbox = await startService();
  const { id: token } = await createTarget(signalbox);
  const { apiKey } = signalbox;
  for (const channel of ['hall', 'square'])
    expect(await outcomeOfAll(signalbox, { token, channel }, apiKey)).toBe('done');
  expect(await outcomeOfAll(signalbox, { token, channel: 'nowhere' }, apiKey)).toBe('NOT_FOUND');
  const channelOptional: ModerationField[] = ['mute', 'unmute', 'disconnect', 'restrictions'];
  expect(await outcomeOfAll(signalbox, { token }, apiKey, channelOptional)).toBe('done');
});

test('a banned moderator may not moderate the channel; a muted moderator may', async () => {
  await using signalbox = await startService();
  const { id: token } = await createTarget(signalbox);
  const input = { identity: 'ada', role: 'MODERATOR', channels: ['hall'] };
  const [minted, selfMinted] = [
    (await mint(signalbox, input)).credential,
    signWithApiKey({ sub: 'ada', role: 'MODERATOR' }),
  ];
  const outcomes = async (channel: string) => [
    await outcomeOfAll(signalbox, { token, channel }, minted),
    await outcomeOfAll(signalbox, { token, channel }, selfMinted),
  ];
  await moderate(signalbox, 'mute', { identity: 'ada' });
  expect(await outcomes('square')).toEqual(['done', 'done']);
  await moderate(signalbox, 'ban', { identity: 'ada', channel: 'square' });
  expect(await outcomes('square')).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  expect(await outcomes('hall')).toEqual(['done', 'FORBIDDEN']);
  // A moderator cannot lift its own ban.
  const own = { identity: 'ada', channel: 'square' };
  expect(await outcomeOf(tryModerate(signalbox, 'unban', own, minted))).toBe('FORBIDDEN');
  expect(await outcomeOf(tryModerate(signalbox, 'mute', own, signWithApiKey({ sub: 'ben' })))).toBe(
    'FORBIDDEN',
  );
});

test('a moderator disconnects only connections in its channel, and others are reported as NOT_FOUND', async () => {
  await using signalbox = await startService();
  await createTarget(signalbox);
  const moderator = await mint(signalbox, { role: 'MODERATOR', channels: ['hall'] });
  const ada = await mint(signalbox, { identity: 'ada', channels: ['hall'] });
  const ben = await mint(signalbox, { identity: 'ben', channels: ['square'] });
  const [here, there] = [
    await openInbox(signalbox, ada.credential),
    await openInbox(signalbox, ben.credential),
  ];
  const backend = signalbox.client();
  queueResults(backend, `subscription { messages(channel: "hall") { event } }`);
  const viewer = await queueResults(backend, `{ viewer { connection { id } } }`).next();
  await roundTrip(backend);
  const disconnect = (target: ModerationArguments, channel = 'hall') =>
    signalbox.ask(
      `mutation ($connection: ID, $token: ID, $identity: String, $channel: ID!) {
        disconnect(connection: $connection, token: $token, identity: $identity, channel: $channel)
      }`,
      { ...target, channel },
      moderator.credential,
    );
  expect((await disconnect({ identity: 'ben' })).data).toEqual({ disconnect: 0 });
  expect((await disconnect({ token: ben.id })).data).toEqual({ disconnect: 0 });
  for (const connection of [there.connection, viewer.viewer.connection.id, 'conn_none']) {
    const { errors } = await disconnect({ connection });
    expect(errors?.[0]).toMatchObject({
      message: `There is no live connection “${connection}” in this project.`,
      extensions: { code: 'NOT_FOUND' },
    });
  }
  expect((await disconnect({ connection: here.connection })).data).toEqual({ disconnect: 1 });
  expect(await here.events.ended).toMatchObject({ code: 1008 });
  expect(await publish(signalbox, 'square', 'sentinel')).toBe(1);
  expect(await there.next()).toMatchObject({ message: { event: 'sentinel' } });
  expect(await outcomeOf(await disconnect({ identity: 'ben' }, 'square'))).toBe('done');
  expect(await there.events.ended).toMatchObject({ code: 1008 });
});

test('every act is in the audit log with actor, subject and channel but without its reason; refused acts are logged as refused', async () => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  const { id: token, credential } = await createTarget(signalbox);
  const moderator = await mint(signalbox, { role: 'MODERATOR', channels: ['hall'] });
  const { connection } = await openInbox(signalbox, credential);
  const before = log.audited().length;
  const reason = 'between-us-only';
  const channel = 'hall';
  const { id: actor, credential: bearer } = moderator;
  await moderate(signalbox, 'mute', { identity: 'eve', reason });
  await moderate(signalbox, 'unmute', { identity: 'eve' });
  await moderate(signalbox, 'unmute', { identity: 'eve' });
  await moderate(signalbox, 'disconnect', { token, channel, reason }, bearer);
  await moderate(signalbox, 'ban', { token, channel, reason }, bearer);
  await moderate(signalbox, 'unban', { token, channel }, bearer);
  await tryModerate(signalbox, 'mute', { token, reason }, bearer);
  await tryModerate(signalbox, 'ban', { token, channel, reason }, credential);

  const [projectId, subject] = ['default', `token:${token}`];
  // A stream that ends with FORBIDDEN is logged as refused too, without a field.
  const acts = log.audited().filter(({ action, field }) => action !== 'refused' || field !== undefined);
  const known = {
    address: '127.0.0.1',
    issuer: expect.any(String) as string,
    reason: expect.any(String) as string,
    message: expect.stringMatching(/\.$/) as string,
  };
  expect(acts.slice(before)).toEqual([
    { action: 'mute.put', projectId, actor: 'key_test', subject: 'identity:eve' },
    { action: 'mute.lift', projectId, actor: 'key_test', subject: 'identity:eve' },
    { action: 'connection.disconnect', projectId, actor, subject: connection, token, channel },
    { action: 'ban.put', projectId, actor, subject, channel },
    { action: 'ban.lift', projectId, actor, subject, channel },
    { action: 'refused', projectId, actor, code: 'FORBIDDEN', field: 'mute', ...known },
    { action: 'refused', projectId, actor: token, code: 'FORBIDDEN', field: 'ban', channel, ...known },
  ]);
  expect(log.lines.join()).not.toContain(reason);
});

test('a moderator cannot mute, unmute, ban or unban itself, by token or by identity', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'PUBLIC' });
  const { id, credential } = await mint(signalbox, { role: 'MODERATOR', identity: 'eve' });
  for (const act of ['mute', 'unmute', 'ban', 'unban']) {
    for (const target of [`token: "${id}"`, 'identity: "eve"']) {
      const mutation = `mutation { ${act}(${target}, channel: "square") { id } }`;
      const { errors } = await signalbox.ask(mutation, {}, credential);
      expect(errors?.[0]?.extensions['code'], mutation).toBe('FORBIDDEN');
    }
  }
});
