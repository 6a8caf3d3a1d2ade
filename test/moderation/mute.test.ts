import { expect, test } from 'vitest';
import { createChannel, mint, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import {
  moderate,
  openInbox,
  outcomeOf,
  outcomeOn,
  signWithApiKey,
  publishMutation,
} from '../support/moderation.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const CHANNELS = ['hall', 'room'];

async function openChannels(signalbox: TestService): Promise<void> {
  for (const id of CHANNELS) await createChannel(signalbox, id, { type: 'PUBLIC' });
}

/** The channels in which a credential may publish, over HTTP. */
async function publishableChannels({ ask }: TestService, bearer: string): Promise<string[]> {
  const channels: string[] = [];
  for (const channel of CHANNELS) {
    const outcome = await outcomeOf(ask(publishMutation(channel), {}, bearer));
    if (outcome === 'done') channels.push(channel);
    else expect(outcome).toBe('FORBIDDEN');
  }
  return channels;
}

/** A mute of a token affects that token only; a mute of an identity affects all of its tokens. */
test.each([
  { subject: 'token', where: 'one channel', phone: ['room'], laptop: CHANNELS },
  { subject: 'token', where: 'all channels', phone: [], laptop: CHANNELS },
  { subject: 'identity', where: 'one channel', phone: ['room'], laptop: ['room'] },
  { subject: 'identity', where: 'all channels', phone: [], laptop: [] },
])(
  'a mute of a $subject in $where removes PUBLISH there until it is lifted',
  async ({ subject, where, ...expected }) => {
    await using signalbox = await startService();
    await openChannels(signalbox);
    const phone = await mint(signalbox, { identity: 'ada' });
    const laptop = await mint(signalbox, { identity: 'ada' });
    const ben = await mint(signalbox, { identity: 'ben' });
    const args = {
      ...(subject === 'token' ? { token: phone.id } : { identity: 'ada' }),
      ...(where === 'one channel' && { channel: 'hall' }),
    };

    const restriction = await moderate(signalbox, 'mute', { ...args, reason: 'too loud' });
    const nothing = { token: null, identity: null, channel: null, until: null };
    expect(restriction).toEqual({ kind: 'MUTE', ...nothing, ...args, reason: 'too loud' });
    expect(await publishableChannels(signalbox, phone.credential)).toEqual(expected.phone);
    expect(await publishableChannels(signalbox, laptop.credential)).toEqual(expected.laptop);
    expect(await publishableChannels(signalbox, ben.credential)).toEqual(CHANNELS);

    expect(await moderate(signalbox, 'unmute', args)).toEqual(restriction);
    expect(await publishableChannels(signalbox, phone.credential)).toEqual(CHANNELS);
    expect(await moderate(signalbox, 'unmute', args)).toBeNull();
  },
);

test('a mute yields Restricted on every live connection of the identity only, and does not stop delivery', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'hall');
  const ada = await mint(signalbox, { identity: 'ada', channels: ['hall'] });
  const ben = await mint(signalbox, { identity: 'ben', channels: ['hall'] });
  const devices = [await openInbox(signalbox, ada.credential), await openInbox(signalbox, ada.credential)];
  const other = await openInbox(signalbox, ben.credential);

  const restriction = await moderate(signalbox, 'mute', { identity: 'ada', channel: 'hall', reason: 'hush' });
  expect(await outcomeOn(other.client, publishMutation('hall', 'from-ben'))).toBe('done');
  expect(await moderate(signalbox, 'unmute', { identity: 'ada', channel: 'hall' })).toEqual(restriction);
  // A second unmute yields no event.
  await moderate(signalbox, 'unmute', { identity: 'ada', channel: 'hall' });
  expect(await outcomeOn(devices[0]!.client, publishMutation('hall', 'from-ada'))).toBe('done');
  for (const { next } of devices) {
    expect(await next()).toEqual({ __typename: 'Restricted', restriction });
    expect(await next()).toMatchObject({ message: { event: 'from-ben' } });
    expect(await next()).toEqual({ __typename: 'RestrictionLifted', restriction });
    expect(await next()).toMatchObject({ message: { event: 'from-ada' } });
  }
  expect(await other.next()).toMatchObject({ message: { event: 'from-ben' } });
  expect(await other.next()).toMatchObject({ message: { event: 'from-ada' } });
});

test('Restricted arrives on a live socket before the first FORBIDDEN', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'hall', { type: 'PUBLIC' });
  const { id, credential } = await mint(signalbox);
  using socket = await connectSocket(signalbox, { token: credential });
  const send = (operation: string, query: string) =>
    socket.send({ id: operation, type: 'subscribe', payload: { query } });
  send('inbox', `subscription { events { __typename } }`);
  expect(await socket.next()).toMatchObject({ id: 'inbox', type: 'next' });
  await moderate(signalbox, 'mute', { token: id });
  send('publish', publishMutation('hall'));
  expect(await socket.next()).toMatchObject({ payload: { data: { events: { __typename: 'Restricted' } } } });
  expect(await socket.next()).toMatchObject({
    id: 'publish',
    payload: { errors: [{ extensions: { code: 'FORBIDDEN', retryable: false } }] },
  });
});

test('a mute of an identity applies to tokens created later: minted, self-minted and guests', async () => {
  await using signalbox = await startService();
  await openChannels(signalbox);
  await signalbox.request(
    `mutation ($settings: ProjectSettingsInput!) { updateProject(settings: $settings) { id } }`,
    {
      settings: {
        guests: true,
        permissions: { stated: [{ role: 'GUEST', kind: 'PUBLIC', actions: ['SUBSCRIBE', 'PUBLISH'] }] },
      },
    },
  );
  await moderate(signalbox, 'mute', { identity: 'eve' });
  expect(
    await publishableChannels(signalbox, (await mint(signalbox, { identity: 'eve' })).credential),
  ).toEqual([]);
  expect(await publishableChannels(signalbox, signWithApiKey({ sub: 'eve' }))).toEqual([]);
  expect(await publishableChannels(signalbox, signWithApiKey({ sub: 'ben' }))).toEqual(CHANNELS);

  const { createGuest } = await signalbox.request(
    `mutation { createGuest(input: { name: "eve" }) { credential token { id identity } } }`,
    {},
    null,
  );
  const { credential, token } = createGuest;
  expect(await publishableChannels(signalbox, credential)).toEqual(CHANNELS);
  const live = await openInbox(signalbox, credential);
  await moderate(signalbox, 'mute', { identity: token.identity, channel: 'hall' });
  expect(await live.next()).toMatchObject({ restriction: { identity: token.identity } });
  expect(await outcomeOn(live.client, publishMutation('hall'))).toBe('FORBIDDEN');
  expect(await publishableChannels(signalbox, credential)).toEqual(['room']);
});

test('a mute with until ends at that time on a live socket, without an event', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  await openChannels(signalbox);
  const { id, credential } = await mint(signalbox);
  const live = await openInbox(signalbox, credential);
  const until = '2030-01-01T00:10:00.000Z';
  expect(await moderate(signalbox, 'mute', { token: id, until })).toMatchObject({ until });
  await clock.advance(600_000 - 1);
  expect(await outcomeOn(live.client, publishMutation('hall'))).toBe('FORBIDDEN');
  expect(await publishableChannels(signalbox, credential)).toEqual([]);
  await clock.advance(1);
  expect(await outcomeOn(live.client, publishMutation('hall'))).toBe('done');
  expect(await publishableChannels(signalbox, credential)).toEqual(CHANNELS);

  // A mute that has ended cannot be lifted.
  expect(await moderate(signalbox, 'unmute', { token: id })).toBeNull();
  await sendDirect(signalbox, id, 'sentinel');
  expect(await live.next()).toMatchObject({ __typename: 'Restricted', restriction: { until } });
  expect(await live.next()).toMatchObject({ message: { event: 'sentinel' } });
});

test('a second mute replaces the first, including its until', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  await openChannels(signalbox);
  const { id, credential } = await mint(signalbox);
  const live = await openInbox(signalbox, credential);
  const mute = (until: string | undefined, reason: string) =>
    moderate(signalbox, 'mute', {
      token: id,
      channel: 'hall',
      reason,
      ...(until !== undefined && { until }),
    });
  await mute('2030-01-01T00:01:00.000Z', 'a minute');
  await mute('2030-01-01T01:00:00.000Z', 'an hour');
  await clock.advance(60_000);
  expect(await outcomeOn(live.client, publishMutation('hall'))).toBe('FORBIDDEN');
  await mute('2030-01-01T00:02:00.000Z', 'less');
  await clock.advance(60_000);
  expect(await outcomeOn(live.client, publishMutation('hall'))).toBe('done');
  await mute(undefined, 'for good');
  const { nodes } = await moderate(signalbox, 'restrictions', { token: id });
  expect(nodes).toMatchObject([{ reason: 'for good', until: null }]);
  for (const reason of ['a minute', 'an hour', 'less', 'for good'])
    expect(await live.next()).toMatchObject({ __typename: 'Restricted', restriction: { reason } });
});

test('mute with invalid arguments is refused, and the error names the field', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  await using signalbox = await startService({}, { clock });
  const { id: token } = await mint(signalbox);
  const invalid = [
    [{}, 'BAD_USER_INPUT', 'token'],
    [{ token, identity: 'ada' }, 'BAD_USER_INPUT', 'token'],
    [{ identity: '' }, 'BAD_USER_INPUT', 'identity'],
    [{ identity: 'ada lovelace' }, 'BAD_USER_INPUT', 'identity'],
    [{ token, until: '2030-01-01T00:00:00.000Z' }, 'BAD_USER_INPUT', 'until'],
    [{ token, reason: 'x'.repeat(1001) }, 'BAD_USER_INPUT', 'reason'],
    [{ token: 'token_none' }, 'NOT_FOUND', undefined],
    [{ token, channel: 'nowhere' }, 'NOT_FOUND', undefined],
  ] as const;
  for (const [args, code, field] of invalid) {
    const mute = `mutation ($token: ID, $identity: String, $channel: ID, $until: DateTime, $reason: String) {
      mute(token: $token, identity: $identity, channel: $channel, until: $until, reason: $reason) { id }
    }`;
    const { errors } = await signalbox.ask(mute, args);
    expect([args, errors?.[0]?.extensions['code'], errors?.[0]?.extensions['field']]).toEqual([
      args,
      code,
      field,
    ]);
  }
  expect((await moderate(signalbox, 'restrictions', {})).nodes).toEqual([]);
  expect(await moderate(signalbox, 'mute', { token, reason: 'x'.repeat(1000) })).toMatchObject({ token });
});

test('a muted token keeps all of its actions except PUBLISH', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'hall', { type: 'PUBLIC' });
  const { id, credential } = await mint(signalbox, { role: 'MODERATOR', channels: ['hall'] });
  const { client } = await openInbox(signalbox, credential);
  await moderate(signalbox, 'mute', { token: id });
  const viewer = queueResults(client, `{ viewer { allowedActions(channel: "hall") } }`);
  expect(await viewer.next()).toEqual({
    viewer: { allowedActions: ['SUBSCRIBE', 'PRESENCE', 'MODERATE'] },
  });
});
