import { expect, test } from 'vitest';
import { createChannel, mint, updateToken, type MintedToken } from '../support/backend.ts';
import { DIRECT_MESSAGES, EVENTS, subscribeResuming, MESSAGES } from '../support/resuming-subscription.ts';
import { publishTo } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

/** Changes that end a live `messages(channel)`, with its error code and the reason of ChannelUnavailable in the inbox. */
const changes: Record<
  string,
  { code: string; reason: string; change: (signalbox: TestService, token: MintedToken) => Promise<unknown> }
> = {
  'the token is unsubscribed': {
    code: 'FORBIDDEN',
    reason: 'UNSUBSCRIBED',
    change: ({ request }, { id }) =>
      request(`mutation ($t: ID!) { unsubscribeToken(channel: "room", token: $t) { createdAt } }`, { t: id }),
  },
  'the role of the token is lowered': {
    code: 'FORBIDDEN',
    reason: 'NOT_ALLOWED',
    change: (signalbox, { id }) => updateToken(signalbox, id, { role: 'GUEST' }),
  },
  'the grants of the token are narrowed': {
    code: 'FORBIDDEN',
    reason: 'NOT_ALLOWED',
    change: (signalbox, { id }) => updateToken(signalbox, id, { grants: [] }),
  },
  'the channel is deleted': {
    code: 'NOT_FOUND',
    reason: 'DELETED',
    change: ({ request }) => request(`mutation { deleteChannel(id: "room") { id } }`),
  },
};

for (const [title, { code, reason, change }] of Object.entries(changes)) {
  test(`messages(channel) ends with ${code} and the inbox continues without the channel when ${title}`, async () => {
    await using signalbox = await startService();
    await createChannel(signalbox, 'room');
    await createChannel(signalbox, 'public', { type: 'PUBLIC' });
    const token = await mint(signalbox, { channels: ['room'] });
    const client = signalbox.client({ token: token.credential });
    const room = subscribeResuming(client, MESSAGES, { channel: 'room', since: token.cursor });
    const direct = subscribeResuming(client, DIRECT_MESSAGES, { since: token.cursor });
    const inbox = subscribeResuming(client, EVENTS, { since: token.cursor });
    await publishTo(signalbox, { channel: 'room' }, 'delivered');
    await Promise.all([room, inbox].map((one) => one.until(({ messages }) => messages.length === 1)));

    await change(signalbox, token);
    expect(await room.ended).toMatchObject([{ extensions: { code, retryable: false } }]);
    // A message to the same channel, if the channel still exists.
    await signalbox.ask(`mutation { publishMessage(channel: "room", event: "e") { connections } }`);
    await publishTo(signalbox, { token: token.id }, 'the last');
    await Promise.all(
      [direct, inbox].map((one) => one.until(({ messages }) => messages.at(-1)?.data === 'the last')),
    );
    expect(inbox.messages.map(({ data }) => data)).toEqual(['delivered', 'the last']);
    expect(room.messages).toHaveLength(1);
    expect(inbox.events.filter(({ __typename }) => __typename === 'ChannelUnavailable')).toEqual([
      { __typename: 'ChannelUnavailable', channel: { id: 'room' }, reason },
    ]);
  });
}

test('messages(channel) of an anonymous caller ends with UNAUTHENTICATED when the channel becomes PUBLIC', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'room', { type: 'UNPROTECTED' });
  const room = subscribeResuming(signalbox.client({}), MESSAGES, { channel: 'room' });
  while ((await publishTo(signalbox, { channel: 'room' }, 'there?', { ephemeral: true })).connections === 0);
  await signalbox.request(`mutation { updateChannel(id: "room", input: { type: PUBLIC }) { type } }`);
  expect(await room.ended).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect((await publishTo(signalbox, { channel: 'room' }, 'undelivered')).connections).toBe(0);
});
