import { expect, test } from 'vitest';
import { createChannel, mint, publish, subscribeToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

const SUBSCRIBE = `mutation ($token: ID!, $since: Cursor) {
  subscribeToken(channel: "den", token: $token, since: $since) { createdAt }
}`;
const EVENTS = `subscription ($since: Cursor) { events(since: $since) {
  __typename ... on ChannelMessage { message { event } }
} }`;

async function publishEvent(service: TestService, event: string): Promise<string> {
  const mutation = `mutation ($e: String!) { publishMessage(channel: "den", event: $e) { message { cursor } } }`;
  return (await service.request(mutation, { e: event })).publishMessage.message.cursor;
}

async function historyOf({ request }: TestService, credential: string): Promise<string[]> {
  const query = '{ channel(id: "den") { messages(last: 10) { nodes { event } } } }';
  const { nodes } = (await request(query, {}, credential)).channel.messages;
  return nodes.map(({ event }: { event: string }) => event);
}

test('subscribeToken(since:) lets a new member of a PRIVATE channel read the messages after the cursor', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'den', { type: 'PRIVATE' });
  const since = await publishEvent(signalbox, 'before');
  await publishEvent(signalbox, 'first');
  await publishEvent(signalbox, 'second');
  const ada = await mint(signalbox);
  await signalbox.request(SUBSCRIBE, { token: ada.id, since });
  expect(await historyOf(signalbox, ada.credential)).toEqual(['first', 'second']);
  // A resume replays it, too.
  const events = queueResults(signalbox.client({ token: ada.credential }), EVENTS, { since });
  await events.next();
  expect((await events.next()).events.message.event).toBe('first');
  expect((await events.next()).events.message.event).toBe('second');
});

test('subscribeToken(since:) extends the readable history of a member, and never shortens it', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'den', { type: 'PRIVATE' });
  const early = await publishEvent(signalbox, 'before');
  const late = await publishEvent(signalbox, 'first');
  const ada = await mint(signalbox, { channels: ['den'] });
  expect(await historyOf(signalbox, ada.credential)).toEqual([]);
  const live = queueResults(signalbox.client({ token: ada.credential }), EVENTS);
  await live.next();
  await signalbox.request(SUBSCRIBE, { token: ada.id, since: early });
  expect(await historyOf(signalbox, ada.credential)).toEqual(['first']);
  await signalbox.request(SUBSCRIBE, { token: ada.id, since: late });
  await subscribeToken(signalbox, 'den', ada.id);
  expect(await historyOf(signalbox, ada.credential)).toEqual(['first']);
  // The live connection receives new messages only, each once.
  await publish(signalbox, 'den', 'now');
  expect((await live.next()).events.message.event).toBe('now');
});

test('subscribeToken(since:) is for API keys, and refuses what is not a cursor of this log', async () => {
  await using signalbox = await startService();
  await using other = await startService();
  await createChannel(signalbox, 'den', { type: 'PUBLIC' });
  await createChannel(other, 'den');
  const [since, foreign] = [await publishEvent(signalbox, 'before'), await publishEvent(other, 'before')];
  const ada = await mint(signalbox);
  const codeOf = async (variables: object, bearer?: string) =>
    (await signalbox.ask(SUBSCRIBE, variables, bearer)).errors?.[0]?.extensions['code'];
  expect(await codeOf({ token: ada.id, since }, ada.credential)).toBe('FORBIDDEN');
  expect(await codeOf({ token: ada.id, since: foreign })).toBe('POSITION_LOST');
  expect(await codeOf({ token: ada.id, since: 'x' })).toBe('BAD_USER_INPUT');
  expect(await codeOf({ token: ada.id, since }, ada.credential)).toBe('FORBIDDEN');
  expect((await signalbox.request('{ viewer { kind } }')).viewer.kind).toBe('API_KEY');
});
