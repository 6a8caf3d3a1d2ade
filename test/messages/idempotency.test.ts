import { expect, test } from 'vitest';
import { createChannel, mint, type MintedToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
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
  // Clocks that are turned on by days have little else to do on the way.
  const signalbox = await startService({ purgeIntervalMs: 3_600_000, leaseMs: 300_000 }, overrides);
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  const inbox = subscribeResuming(signalbox.client({ token: token.credential }), EVENTS, {
    since: token.cursor,
  });
  await inbox.until(({ events }) => events.length > 0);
  return { signalbox, token, inbox };
}

/** What was heard by the time that one more thing was said. */
async function heard(signalbox: TestService, inbox: ResumingSubscription): Promise<any[]> {
  await publishTo(signalbox, room, 'the last');
  await inbox.until(({ messages }) => messages.at(-1)?.data === 'the last');
  return inbox.messages.slice(0, -1).map(({ data }) => data);
}

test('a repeat within 24 hours says nothing again and is given the first message; later it is said anew', async () => {
  const clock = createManualClock();
  const { signalbox, inbox } = await startRoom({ clock });
  await using _ = signalbox;
  const first = await publishTo(signalbox, room, { paid: true }, once);
  expect(first).toMatchObject({ repeated: false, connections: 1 });
  await clock.advance(DAY_MS - 1);
  const repeat = await publishTo(signalbox, room, { paid: true }, once);
  expect(repeat).toEqual({ repeated: true, connections: 0, message: first.message });
  await clock.advance(1);
  const anew = await publishTo(signalbox, room, { paid: true }, once);
  expect(anew).toMatchObject({ repeated: false, connections: 1 });
  expect(anew.message.id).not.toBe(first.message.id);
  // The day begins anew as well.
  await clock.advance(DAY_MS - 1);
  expect((await publishTo(signalbox, room, { paid: true }, once)).message.id).toBe(anew.message.id);
  expect(await heard(signalbox, inbox)).toEqual([{ paid: true }, { paid: true }]);
});

test('a key that was used for anything else is a CONFLICT, and nothing is said', async () => {
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
  expect(await heard(signalbox, inbox)).toEqual([1]);
});

test('repeats at the same time collapse into one, and the others of that turn are said', async () => {
  const { signalbox, inbox } = await startRoom();
  await using _ = signalbox;
  const speaker = signalbox.client(undefined, { lazy: false });
  await publishOnSocket(speaker, room, 'ready');
  const saying = numbers(30).flatMap((number) => [
    publishOnSocket(speaker, room, 'collapsed', once),
    publishOnSocket(speaker, room, number),
    publishOnSocket(speaker, room, `conflict ${number}`, once).catch((error: unknown) => String(error)),
  ]);
  const said = await Promise.all(saying);
  const collapsed = said.filter((_, index) => index % 3 === 0) as Awaited<ReturnType<typeof publishTo>>[];
  expect(collapsed.filter(({ repeated }) => !repeated)).toHaveLength(1);
  expect(new Set(collapsed.map(({ message }) => message.id)).size).toBe(1);
  for (const conflict of said.filter((_, index) => index % 3 === 2)) expect(conflict).toContain('CONFLICT');
  const all = await heard(signalbox, inbox);
  expect(all.filter((data) => data === 'collapsed')).toHaveLength(1);
  expect(all.filter((data) => typeof data === 'number')).toEqual(numbers(30));
  expect(all).toHaveLength(32);
});

test('two callers with the same key do not meet', async () => {
  const { signalbox, token, inbox } = await startRoom();
  await using _ = signalbox;
  const other = await mint(signalbox, { channels: ['room'] });
  const said = [
    await publishTo(signalbox, room, 'by the backend', once),
    await publishTo(signalbox, room, 'by a token', once, token.credential),
    await publishTo(signalbox, room, 'by another token', once, other.credential),
  ];
  expect(said.map(({ repeated }) => repeated)).toEqual([false, false, false]);
  const repeat = await publishTo(signalbox, room, 'by a token', once, token.credential);
  expect(repeat.message.id).toBe(said[1]!.message.id);
  expect(await heard(signalbox, inbox)).toEqual(['by the backend', 'by a token', 'by another token']);
});

test('an ephemeral publish is said once too, and kept no more than any other', async () => {
  const { signalbox, token, inbox } = await startRoom();
  await using _ = signalbox;
  const passing = { ...once, ephemeral: true };
  const first = await publishTo(signalbox, room, 'passing', passing);
  const repeat = await publishTo(signalbox, room, 'passing', passing);
  expect(first).toMatchObject({ repeated: false, connections: 1, message: { cursor: null } });
  expect(repeat).toEqual({ repeated: true, connections: 0, message: first.message });
  expect(await heard(signalbox, inbox)).toEqual(['passing']);
  const client = signalbox.client({ token: token.credential });
  const replayed = subscribeResuming(client, EVENTS, { since: token.cursor });
  await replayed.until(({ messages }) => messages.length > 0);
  expect(replayed.messages.map(({ data }) => data)).toEqual(['the last']);
});

test('a key is remembered across a restart, and also when its message is gone', async () => {
  using folder = createFolder();
  const config = { data: folder.path };
  const first = await (async () => {
    await using signalbox = await startService(config);
    await createChannel(signalbox, 'room', { history: { messages: 0 } });
    const said = await publishTo(signalbox, room, 'paid', once);
    await signalbox.service.retention.purge();
    return said;
  })();
  await using signalbox = await startService(config);
  expect(await publishTo(signalbox, room, 'paid', once)).toEqual({ ...first, repeated: true });
});

test('a key is 1–255 visible ASCII characters, and has no meaning for one connection', async () => {
  const { signalbox, token } = await startRoom();
  await using _ = signalbox;
  const codeOf = async (to: Parameters<typeof publishTo>[1], idempotencyKey: string) => {
    const { query, variables } = publishRequest(to, 1, { idempotencyKey });
    return (await signalbox.ask(query, variables)).errors?.[0]?.extensions['code'];
  };
  for (const key of ['!', '~'.repeat(255)]) expect(await codeOf(room, key)).toBeUndefined();
  for (const key of ['', '~'.repeat(256), 'a b', 'é', 'a\n'])
    expect(await codeOf(room, key)).toBe('BAD_USER_INPUT');
  const { token: seen } = await signalbox.request(
    `query ($t: ID!) { token(id: $t) { connections { id } } }`,
    {
      t: token.id,
    },
  );
  expect(await codeOf({ connection: seen.connections[0].id }, 'key')).toBe('BAD_USER_INPUT');
});
