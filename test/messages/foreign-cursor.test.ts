import { expect, test } from 'vitest';
import { createChannel, mint, type MintedToken } from '../support/backend.ts';
import { DIRECT_MESSAGES, EVENTS, subscribeResuming, MESSAGES } from '../support/resuming-subscription.ts';
import { publishNumbers, publishTo } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

const codeOf = (error: any) => error[0].extensions.code as string;
const HISTORY = `query ($after: Cursor) { channel(id: "one") { messages(after: $after) { nodes { id } } } }`;

/** Starts a service with a token in two channels, and returns a cursor of its log. */
async function startWithMessages(): Promise<{ signalbox: TestService; token: MintedToken; cursor: string }> {
  const signalbox = await startService();
  await createChannel(signalbox, 'one');
  await createChannel(signalbox, 'two');
  const token = await mint(signalbox, { channels: ['one', 'two'] });
  const published = await publishNumbers(signalbox, 'one', 3);
  return { signalbox, token, cursor: published[1]!.cursor! };
}

/** A cursor of another project of the same service. */
async function cursorOfAnotherProject({ request }: TestService): Promise<string> {
  const { createProject } = await request(`mutation { createProject(input: { id: "other" }) { secret } }`);
  await request(`mutation { createChannel(input: { id: "one" }) { id } }`, {}, createProject.secret);
  const { publishMessage } = await request(
    `mutation { publishMessage(channel: "one", event: "e") { message { cursor } } }`,
    {},
    createProject.secret,
  );
  return publishMessage.message.cursor;
}

async function cursorOfAnotherInstallation(): Promise<string> {
  const { signalbox, cursor } = await startWithMessages();
  await signalbox[Symbol.asyncDispose]();
  return cursor;
}

/** Expects the inbox to report POSITION_LOST and continue with new messages, and all other operations to fail. */
async function expectPositionLost(
  { signalbox, token }: { signalbox: TestService; token: MintedToken },
  since: string,
) {
  const client = signalbox.client({ token: token.credential });
  const inbox = subscribeResuming(client, EVENTS, { since });
  await inbox.until(({ events }) => events.length === 2);
  const { message } = await publishTo(signalbox, { channel: 'two' }, 'from now on');
  await inbox.until(({ messages }) => messages.length === 1);
  expect(inbox.messages).toEqual([message]);
  const [connected, gap] = inbox.events;
  expect(connected.__typename).toBe('Connected');
  expect(connected.cursor).not.toBe(since);
  expect(gap).toEqual({
    __typename: 'Gap',
    reason: 'POSITION_LOST',
    channels: [{ id: 'one' }, { id: 'two' }],
    directMessages: true,
  });
  expect(codeOf(await subscribeResuming(client, MESSAGES, { channel: 'one', since }).ended)).toBe(
    'POSITION_LOST',
  );
  expect(codeOf(await subscribeResuming(client, DIRECT_MESSAGES, { since }).ended)).toBe('POSITION_LOST');
  const { errors } = await signalbox.ask(HISTORY, { after: since });
  expect(codeOf(errors)).toBe('POSITION_LOST');
}

test('a cursor of another installation yields POSITION_LOST', async () => {
  const running = await startWithMessages();
  await using _ = running.signalbox;
  await expectPositionLost(running, await cursorOfAnotherInstallation());
});

test('a cursor of another project yields POSITION_LOST', async () => {
  const running = await startWithMessages();
  await using _ = running.signalbox;
  await expectPositionLost(running, await cursorOfAnotherProject(running.signalbox));
});

test('a cursor yields POSITION_LOST when any one character is changed', async () => {
  const running = await startWithMessages();
  await using _ = running.signalbox;
  const { cursor } = running;
  for (let at = 1; at < cursor.length - 1; at++) {
    const forged = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1);
    const { errors } = await running.signalbox.ask(HISTORY, { after: forged });
    expect(codeOf(errors)).toBe('POSITION_LOST');
  }
  await expectPositionLost(running, cursor.slice(0, 7) + (cursor[7] === 'A' ? 'B' : 'A') + cursor.slice(8));
});

test('a malformed cursor yields BAD_USER_INPUT and the connection stays open', async () => {
  const { signalbox, token, cursor } = await startWithMessages();
  await using _ = signalbox;
  const client = signalbox.client({ token: token.credential });
  for (const since of [
    '',
    'x',
    '12',
    `${cursor}A`,
    cursor.slice(0, -1),
    `2${cursor.slice(1)}`,
    '1'.repeat(10_000),
  ]) {
    expect(codeOf(await subscribeResuming(client, EVENTS, { since }).ended)).toBe('BAD_USER_INPUT');
    expect(codeOf(await subscribeResuming(client, MESSAGES, { channel: 'one', since }).ended)).toBe(
      'BAD_USER_INPUT',
    );
    expect(codeOf(await subscribeResuming(client, DIRECT_MESSAGES, { since }).ended)).toBe('BAD_USER_INPUT');
    expect(codeOf((await signalbox.ask(HISTORY, { after: since })).errors)).toBe('BAD_USER_INPUT');
  }
  // The connection still works.
  const inbox = subscribeResuming(client, EVENTS, { since: cursor });
  await publishTo(signalbox, { channel: 'two' }, 'the last');
  await inbox.until(({ messages }) => messages.length === 2);
});
