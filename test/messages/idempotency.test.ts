import { expect, test } from 'vitest';
import { createChannel, mint, type MintedToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createApiKey } from '../support/external-credentials.ts';
import { createFolder } from '../support/folder.ts';
import { EVENTS, subscribeResuming, type ResumingSubscription } from '../support/resuming-subscription.ts';
import {
  numbers,
  publishTo,
  publishOnSocket,
  publishRequest,
  type PublishOptions,
} from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

const DAY_MS = 86_400_000;
const room = { channel: 'room' };
const once: PublishOptions = { idempotencyKey: 'order-1' };

async function startRoom(
  overrides: Parameters<typeof startService>[1] = {},
): Promise<{ signalbox: TestService; token: MintedToken; inbox: ResumingSubscription }> {
  // Long intervals keep few timers due while the manual clock advances by days.
  const signalbox = await startService({ purgeIntervalMs: 3_600_000, leaseMs: 300_000 }, overrides);
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  const inbox = subscribeResuming(signalbox.client({ token: token.credential }), EVENTS, {
    since: token.cursor,
  });
  await inbox.until(({ events }) => events.length > 0);
  return { signalbox, token, inbox };
}

/** Publishes a last message and returns the data of all messages received before it. */
async function receivedBy(signalbox: TestService, inbox: ResumingSubscription): Promise<any[]> {
  await publishTo(signalbox, room, 'the last');
  await inbox.until(({ messages }) => messages.at(-1)?.data === 'the last');
  return inbox.messages.slice(0, -1).map(({ data }) => data);
}

test('a repeat within 24 hours returns the first message and publishes nothing; after 24 hours it publishes again', async () => {
  const clock = createManualClock();
  const { signalbox, inbox } = await startRoom({ clock });
  await using _ = signalbox;
  const first = await publishTo(signalbox, room, { paid: true }, once);
  expect(first).toMatchObject({ repeated: false, connections: 1 });
  await clock.advance(DAY_MS - 1);
  const repeat = await publishTo(signalbox, room, { paid: true }, once);
  expect(repeat).toEqual({ repeated: true, connections: 0, message: first.message });
  await clock.advance(1);
  const second = await publishTo(signalbox, room, { paid: true }, once);
  expect(second).toMatchObject({ repeated: false, connections: 1 });
  expect(second.message.id).not.toBe(first.message.id);
  // The second publish starts a new period of 24 hours.
  await clock.advance(DAY_MS - 1);
  expect((await publishTo(signalbox, room, { paid: true }, once)).message.id).toBe(second.message.id);
  expect(await receivedBy(signalbox, inbox)).toEqual([{ paid: true }, { paid: true }]);
});

test('publish fails with CONFLICT and publishes nothing when the key was used for another message', async () => {
  const { signalbox, token, inbox } = await startRoom();
  await using _ = signalbox;
  await createChannel(signalbox, 'other');
  await publishTo(signalbox, room, 1, once);
  const others = [
    publishRequest(room, 2, once),
    publishRequest(room, 1, { ...once, event: 'else' }),
    publishRequest(room, 1, { ...once, ephemeral: true }),
    publishRequest({ channel: 'other' }, 1, once),
    publishRequest({ token: token.id }, 1, once),
  ];
  for (const { query, variables } of others) {
    const { errors } = await signalbox.ask(query, variables);
    expect(errors?.[0]?.extensions).toEqual({ code: 'CONFLICT', retryable: false });
  }
  expect(await receivedBy(signalbox, inbox)).toEqual([1]);
});

test('concurrent repeats publish one message, and other publishes of the same turn succeed', async () => {
  const { signalbox, inbox } = await startRoom();
  await using _ = signalbox;
  const publisher = signalbox.client(undefined, { lazy: false });
  await publishOnSocket(publisher, room, 'ready');
  const publishing = numbers(30).flatMap((number) => [
    publishOnSocket(publisher, room, 'collapsed', once),
    publishOnSocket(publisher, room, number),
    publishOnSocket(publisher, room, `conflict ${number}`, once).catch((error: unknown) => String(error)),
  ]);
  const published = await Promise.all(publishing);
  const collapsed = published.filter((_, index) => index % 3 === 0) as Awaited<
    ReturnType<typeof publishTo>
  >[];
  expect(collapsed.filter(({ repeated }) => !repeated)).toHaveLength(1);
  expect(new Set(collapsed.map(({ message }) => message.id)).size).toBe(1);
  for (const conflict of published.filter((_, index) => index % 3 === 2))
    expect(conflict).toContain('CONFLICT');
  const all = await receivedBy(signalbox, inbox);
  expect(all.filter((data) => data === 'collapsed')).toHaveLength(1);
  expect(all.filter((data) => typeof data === 'number')).toEqual(numbers(30));
  expect(all).toHaveLength(32);
});

test('the same key of two callers does not collide', async () => {
  const { signalbox, token, inbox } = await startRoom();
  await using _ = signalbox;
  const other = await mint(signalbox, { channels: ['room'] });
  const published = [
    await publishTo(signalbox, room, 'by the backend', once),
    await publishTo(signalbox, room, 'by a token', once, token.credential),
    await publishTo(signalbox, room, 'by another token', once, other.credential),
  ];
  expect(published.map(({ repeated }) => repeated)).toEqual([false, false, false]);
  const repeat = await publishTo(signalbox, room, 'by a token', once, token.credential);
  expect(repeat.message.id).toBe(published[1]!.message.id);
  expect(await receivedBy(signalbox, inbox)).toEqual(['by the backend', 'by a token', 'by another token']);
});

test('a repeat with the successor of a rotated API key publishes nothing', async () => {
  const { signalbox, inbox } = await startRoom();
  await using _ = signalbox;
  const key = await createApiKey(signalbox);
  const publish = (secret: string) =>
    signalbox.request(
      `mutation { publishMessage(channel: "room", event: "e", data: 1, idempotencyKey: "k") { repeated message { id } } }`,
      {},
      secret,
    );
  const first = (await publish(key.secret)).publishMessage;
  const { rotateApiKey } = await signalbox.request(
    `mutation ($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 60) { secret } }`,
    { id: key.id },
  );
  expect(first.repeated).toBe(false);
  for (const secret of [rotateApiKey.secret, key.secret])
    expect((await publish(secret)).publishMessage).toEqual({ repeated: true, message: first.message });
  const other = await createApiKey(signalbox);
  expect((await publish(other.secret)).publishMessage.repeated).toBe(false);
  expect(await receivedBy(signalbox, inbox)).toEqual([1, 1]);
});

test('a repeat with the members of data in another order publishes nothing, and another order of a list is CONFLICT', async () => {
  const { signalbox } = await startRoom();
  await using _ = signalbox;
  const first = await publishTo(signalbox, room, { a: 1, b: { c: [1, { d: 2, e: 3 }], f: null } }, once);
  const repeat = await publishTo(signalbox, room, { b: { f: null, c: [1, { e: 3, d: 2 }] }, a: 1 }, once);
  expect(repeat).toMatchObject({ repeated: true, message: { id: first.message.id } });
  const answer = publishTo(signalbox, room, { a: 1, b: { c: [{ d: 2, e: 3 }, 1], f: null } }, once);
  await expect(answer).rejects.toThrow('The idempotency key was already used');
});

test('a repeated ephemeral publish is delivered once and not replayed', async () => {
  const { signalbox, token, inbox } = await startRoom();
  await using _ = signalbox;
  const ephemeralOnce = { ...once, ephemeral: true };
  const first = await publishTo(signalbox, room, 'passing', ephemeralOnce);
  const repeat = await publishTo(signalbox, room, 'passing', ephemeralOnce);
  expect(first).toMatchObject({ repeated: false, connections: 1, message: { cursor: null } });
  expect(repeat).toEqual({ repeated: true, connections: 0, message: first.message });
  expect(await receivedBy(signalbox, inbox)).toEqual(['passing']);
  const client = signalbox.client({ token: token.credential });
  const replayed = subscribeResuming(client, EVENTS, { since: token.cursor });
  await replayed.until(({ messages }) => messages.length > 0);
  expect(replayed.messages.map(({ data }) => data)).toEqual(['the last']);
});

test('a key is remembered across a restart when its message has been purged', async () => {
  using folder = createFolder();
  const config = { data: folder.path };
  const first = await (async () => {
    await using signalbox = await startService(config);
    await createChannel(signalbox, 'room', { history: { messages: 0 } });
    const published = await publishTo(signalbox, room, 'paid', once);
    await signalbox.service.retention.purge();
    return published;
  })();
  await using signalbox = await startService(config);
  expect(await publishTo(signalbox, room, 'paid', once)).toEqual({ ...first, repeated: true });
});

test('a key must be 1–255 visible ASCII characters and is rejected for a direct message to a connection', async () => {
  const { signalbox, token } = await startRoom();
  await using _ = signalbox;
  const codeOf = async (to: Parameters<typeof publishTo>[1], idempotencyKey: string) => {
    const { query, variables } = publishRequest(to, 1, { idempotencyKey });
    return (await signalbox.ask(query, variables)).errors?.[0]?.extensions['code'];
  };
  for (const key of ['!', '~'.repeat(255)]) expect(await codeOf(room, key)).toBeUndefined();
  for (const key of ['', '~'.repeat(256), 'a b', 'é', 'a\n'])
    expect(await codeOf(room, key)).toBe('BAD_USER_INPUT');
  const { token: found } = await signalbox.request(
    `query ($t: ID!) { token(id: $t) { connections { id } } }`,
    {
      t: token.id,
    },
  );
  expect(await codeOf({ connection: found.connections[0].id }, 'key')).toBe('BAD_USER_INPUT');
});
