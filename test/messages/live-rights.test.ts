import { expect, test } from 'vitest';
import { createChannel, mint, updateToken, type MintedToken } from '../support/backend.ts';
import { DIRECT_MESSAGES, EVENTS, subscribeResuming, MESSAGES } from '../support/resuming-subscription.ts';
import { publishTo } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

/** What ends a live `messages(channel)`, the code that it ends with, and the reason that the inbox is told. */
const endings: Record<
  string,
  { code: string; reason: string; end: (signalbox: TestService, token: MintedToken) => Promise<unknown> }
> = {
  unsubscribed: {
    code: 'FORBIDDEN',
    reason: 'UNSUBSCRIBED',
    end: ({ request }, { id }) =>
      request(`mutation ($t: ID!) { unsubscribeToken(channel: "room", token: $t) { createdAt } }`, { t: id }),
  },
  'narrowed in its role': {
    code: 'FORBIDDEN',
    reason: 'NOT_ALLOWED',
    end: (signalbox, { id }) => updateToken(signalbox, id, { role: 'GUEST' }),
  },
  'narrowed in its grants': {
    code: 'FORBIDDEN',
    reason: 'NOT_ALLOWED',
    end: (signalbox, { id }) => updateToken(signalbox, id, { grants: [] }),
  },
  'in a channel that is deleted': {
    code: 'NOT_FOUND',
    reason: 'DELETED',
    end: ({ request }) => request(`mutation { deleteChannel(id: "room") { id } }`),
  },
};

for (const [title, { code, reason, end }] of Object.entries(endings)) {
  test(`the messages of a channel end with ${code} for a token that is ${title}; its inbox goes on without`, async () => {
    await using signalbox = await startService();
    await createChannel(signalbox, 'room');
    await createChannel(signalbox, 'public', { type: 'PUBLIC' });
    const token = await mint(signalbox, { channels: ['room'] });
    const client = signalbox.client({ token: token.credential });
    const room = subscribeResuming(client, MESSAGES, { channel: 'room', since: token.cursor });
    const direct = subscribeResuming(client, DIRECT_MESSAGES, { since: token.cursor });
    const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
    await publishTo(signalbox, { channel: 'room' }, 'heard');
    await Promise.all([room, inbox].map((one) => one.until(({ messages }) => messages.length === 1)));

    await end(signalbox, token);
    expect(await room.ended).toMatchObject([{ extensions: { code, retryable: false } }]);
    // To the same address, if there still is one.
    await signalbox.ask(`mutation { publishMessage(channel: "room", event: "e") { connections } }`);
    await publishTo(signalbox, { token: token.id }, 'the last');
    await Promise.all(
      [direct, inbox].map((one) => one.until(({ messages }) => messages.at(-1)?.data === 'the last')),
    );
    expect(inbox.messages.map(({ data }) => data)).toEqual(['heard', 'the last']);
    expect(room.messages).toHaveLength(1);
    expect(inbox.events.filter(({ __typename }) => __typename === 'ChannelUnavailable')).toEqual([
      { __typename: 'ChannelUnavailable', channel: { id: 'room' }, reason },
    ]);
  });
}

test('a channel that is closed to anonymous callers is closed to those who hear it already', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'UNPROTECTED' });
  const room = subscribeResuming(signalbox.client({}), MESSAGES, { channel: 'room' });
  while ((await publishTo(signalbox, { channel: 'room' }, 'there?', { ephemeral: true })).connections === 0);
  await signalbox.request(`mutation { updateChannel(id: "room", input: { type: PUBLIC }) { type } }`);
  expect(await room.ended).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect((await publishTo(signalbox, { channel: 'room' }, 'unheard')).connections).toBe(0);
});
