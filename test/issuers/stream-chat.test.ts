import { StreamChat } from 'stream-chat';
import { expect, test } from 'vitest';
import {
  createChannel,
  isOnline,
  publish,
  revokeToken,
  subscribeToken,
  sendDirect,
} from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults, queuePayloadResults, type ResultQueue } from '../support/result-queue.ts';
import { forge } from '../support/forge.ts';
import { publishOnSocket, publishTo } from '../support/publish.ts';
import {
  createIssuer,
  refusalCodeOf,
  EVENTS,
  INFREQUENT_UPKEEP,
  STREAM,
  stream,
  tokenOf,
} from '../support/external-credentials.ts';
import { startService } from '../support/service.ts';

const next = async (events: ResultQueue<any>) => (await events.next()).events;

test('creates a token when the user of a stream-chat token connects for the first time, and treats it like a minted one', async () => {
  await using signalbox = await startService();
  const issuer = await createIssuer(signalbox, STREAM);
  await createChannel(signalbox, 'team');
  const credential = stream.createToken('ada');
  const tokens = async () =>
    (await signalbox.request(`{ tokens(identity: "ada") { nodes { id } } }`)).tokens.nodes;
  expect(await tokens()).toEqual([]);

  const client = signalbox.client({ token: credential });
  const events = queueResults(client, EVENTS);
  const { token, channels } = await next(events);
  expect({ token, channels }).toMatchObject({ token: { identity: 'ada', role: 'PUBLISHER' }, channels: [] });
  expect(await tokens()).toEqual([{ id: token.id }]);
  expect(await tokenOf(signalbox, credential)).toMatchObject({
    id: token.id,
    origin: 'SELF_MINTED',
    issuer,
    grants: null,
    expiresAt: null,
  });
  expect(await isOnline(signalbox, token.id)).toBe(true);

  await subscribeToken(signalbox, 'team', token.id);
  expect(await next(events)).toEqual({ __typename: 'ChannelAvailable', channel: { id: 'team' } });
  expect(await publish(signalbox, 'team', 'hello')).toBe(1);
  expect(await next(events)).toMatchObject({ message: { event: 'hello', channel: 'team' } });
  await publishOnSocket(client, { channel: 'team' }, null, { event: 'hello-back' });
  expect(await next(events)).toMatchObject({
    message: { event: 'hello-back', sender: { identity: 'ada', token: token.id } },
  });
  expect(await sendDirect(signalbox, token.id, 'to-the-token')).toBe(1);
  await publishTo(signalbox, { identity: 'ada' }, null, { event: 'to-the-identity' });
  expect(await next(events)).toMatchObject({
    __typename: 'DirectMessage',
    message: { event: 'to-the-token' },
  });
  expect(await next(events)).toMatchObject({ message: { event: 'to-the-identity' } });

  await revokeToken(signalbox, token.id);
  expect(await next(events)).toEqual({ __typename: 'Disconnecting', reason: 'TOKEN_REVOKED' });
  expect(await events.ended).toMatchObject({ code: 4403 });
  expect(await isOnline(signalbox, token.id)).toBe(false);
  expect(await refusalCodeOf(signalbox, credential)).toBe('TOKEN_REVOKED');
});

test('accepts a token without exp for ever, and closes the connection at exp otherwise', async () => {
  const clock = createManualClock();
  await using signalbox = await startService(INFREQUENT_UPKEEP, { clock });
  await createIssuer(signalbox, STREAM);
  const seconds = clock.now() / 1000;
  const [endless, short] = [stream.createToken('ada'), stream.createToken('ben', seconds + 60, seconds)];
  const { id } = await tokenOf(signalbox, endless);
  expect(await tokenOf(signalbox, short)).toMatchObject({
    expiresAt: new Date(clock.now() + 60_000).toISOString(),
  });
  const [ada, ben] = [endless, short].map((token) => queueResults(signalbox.client({ token }), EVENTS));
  for (const events of [ada!, ben!]) expect((await next(events)).__typename).toBe('Connected');

  await clock.advance(60_000);
  await ben!.until(({ events }) => events.reason === 'TOKEN_EXPIRED');
  expect(await ben!.ended).toMatchObject({ code: 4403 });
  expect(await refusalCodeOf(signalbox, short)).toBe('TOKEN_EXPIRED');
  await clock.advance(30 * 86_400_000);
  expect(await sendDirect(signalbox, id, 'a-month-later')).toBe(1);
  expect(await next(ada!)).toMatchObject({ message: { event: 'a-month-later' } });
  expect(await refusalCodeOf(signalbox, endless)).toBe('open');
  // A month has hundreds of thousands of steps of the statistics and of presence.
}, 300_000);

test('asks the token provider of the client again after expiry, and delivers messages published in between', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, STREAM);
  await createChannel(signalbox, 'team');
  let calls = 0;
  async function tokenProvider() {
    if (calls++ > 0) await publish(signalbox, 'team', 'meanwhile');
    const seconds = clock.now() / 1000;
    return { token: stream.createToken('ada', seconds + 60, seconds) };
  }
  let since: string | undefined;
  const client = signalbox.client(tokenProvider, { retryAttempts: 1, retryWait: async () => undefined });
  const events = queuePayloadResults(client, {
    query: EVENTS,
    variables: {
      get since() {
        return since;
      },
    },
  });
  const nextMessage = async () => {
    const { message } = (await events.until(({ events }) => 'message' in events)).events;
    since = message.cursor;
    return message.event;
  };
  const { token } = await next(events);
  await subscribeToken(signalbox, 'team', token.id);
  await publish(signalbox, 'team', 'before');
  expect(await nextMessage()).toBe('before');

  await clock.advance(60_000);
  expect(await nextMessage()).toBe('meanwhile');
  expect(await publish(signalbox, 'team', 'after')).toBe(1);
  expect(await nextMessage()).toBe('after');
  expect(calls).toBe(2);
  expect(await isOnline(signalbox, token.id)).toBe(true);
});

test('accepts an e-mail address as user_id, and delivers direct messages to it', async () => {
  await using signalbox = await startService();
  await createIssuer(signalbox, STREAM);
  const events = queueResults(signalbox.client({ token: stream.createToken('ada+1@example.com') }), EVENTS);
  expect((await next(events)).token.identity).toBe('ada+1@example.com');
  await publishTo(signalbox, { identity: 'ada+1@example.com' }, null, { event: 'to-the-identity' });
  expect(await next(events)).toMatchObject({ message: { event: 'to-the-identity' } });
});

test('refuses a server token, a token of another secret and a token for an unknown project', async () => {
  await using signalbox = await startService();
  const credential = stream.createToken('ada');
  const closeOf = async (params: object) => queueResults(signalbox.client({ ...params }), EVENTS).ended;
  expect(await closeOf({ token: credential })).toMatchObject({ code: 4401 });
  await createIssuer(signalbox, STREAM);
  const forged = new StreamChat('appkey', 'another secret of Stream').createToken('ada');
  const serverToken = forge({ alg: 'HS256', typ: 'JWT' }, { server: true }, STREAM.key.secret);
  for (const token of [forged, serverToken]) expect(await closeOf({ token })).toMatchObject({ code: 4401 });
  expect(await closeOf({ token: credential, project: 'nowhere' })).toMatchObject({ code: 4401 });
  expect(await refusalCodeOf(signalbox, credential)).toBe('open');
});
