import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createLog } from '../support/log.ts';
import { numbers } from '../support/publish.ts';
import { EVENTS, subscribeResuming } from '../support/resuming-subscription.ts';
import { startService, type TestService } from '../support/service.ts';

const PUBLISH_ALL = `mutation ($messages: [PublishMessageInput!]!) { publishMessages(messages: $messages) {
  receipt { repeated connections message { event data cursor } } error { code message retryable }
} }`;

const ask = (service: TestService, messages: object[], bearer?: string) =>
  service.ask(PUBLISH_ALL, { messages }, bearer);

/** The error code of each message, or the event of its receipt. */
async function outcomes(service: TestService, messages: object[], bearer?: string): Promise<string[]> {
  const { data, errors } = await ask(service, messages, bearer);
  if (!data) throw new Error(JSON.stringify(errors));
  return data['publishMessages'].map(
    ({ receipt, error }: any) => error?.code ?? (receipt.repeated ? 'repeated' : receipt.message.event),
  );
}

test('publishMessages delivers a batch of 100 messages in order', async () => {
  await using service = await startService();
  await createChannel(service, 'room');
  const { credential } = await mint(service, { channels: ['room'] });
  const client = service.client({ token: credential });
  const inbox = subscribeResuming(client, EVENTS);
  await inbox.until(({ events }) => events.length > 0);
  const { data } = await ask(
    service,
    numbers(100).map((data) => ({ channel: 'room', event: 'said', data })),
  );
  expect(data!['publishMessages'].map(({ receipt }: any) => receipt.connections)).toEqual(
    numbers(100).map(() => 1),
  );
  await inbox.until(({ messages }) => messages.length === 100);
  expect(inbox.messages.map(({ data }) => data)).toEqual(numbers(100));
  await client.dispose();
});

test('publishMessages reports each refused message at its index and publishes the others', async () => {
  await using service = await startService();
  await createChannel(service, 'room');
  await createChannel(service, 'den', { type: 'PRIVATE' });
  const { credential } = await mint(service, { channels: ['room'] });
  const batch = [
    { channel: 'room', event: 'one', idempotencyKey: 'k' },
    { channel: 'room', event: 'not an event' },
    { channel: 'den', event: 'secret' },
    { channel: 'room', event: 'one', idempotencyKey: 'k' },
    { channel: 'room', event: 'other', idempotencyKey: 'k' },
    { channel: 'room', event: 'big', data: 'x'.repeat(40_000) },
    { channel: 'room', event: 'live', ephemeral: true },
    { channel: 'room', event: 'two' },
  ];
  expect(await outcomes(service, batch, credential)).toEqual([
    'one',
    'BAD_USER_INPUT',
    'FORBIDDEN',
    'repeated',
    'CONFLICT',
    'PAYLOAD_TOO_LARGE',
    'live',
    'two',
  ]);
  expect(await outcomes(service, [{ channel: 'nowhere', event: 'said' }])).toEqual(['NOT_FOUND']);
  const { channel } = await service.request(
    `{ channel(id: "room") { messages(last: 100) { nodes { event } } } }`,
  );
  expect(channel.messages.nodes).toEqual([{ event: 'one' }, { event: 'two' }]);
});

test('publishMessages counts each message against the rate limit', async () => {
  await using service = await startService({ publishesPerSecondPerToken: 2 }, { clock: createManualClock() });
  await createChannel(service, 'room');
  const { credential } = await mint(service, { channels: ['room'] });
  const batch = numbers(6).map((data) => ({ channel: 'room', event: 'said', data }));
  const { data } = await ask(service, batch, credential);
  const errors = data!['publishMessages'].map(({ error }: any) => error);
  expect(errors.slice(0, 4)).toEqual([null, null, null, null]);
  expect(errors.slice(4)).toMatchObject([
    { code: 'RATE_LIMITED', retryable: true },
    { code: 'RATE_LIMITED', retryable: true },
  ]);
});

test('publishMessages refuses an empty list from every caller', async () => {
  await using signalbox = await startService();
  for (const bearer of [signalbox.apiKey, null]) {
    const { errors } = await signalbox.ask(PUBLISH_ALL, { messages: [] }, bearer);
    expect(errors?.[0]).toMatchObject({
      message: 'messages: must have at least one message.',
      extensions: { code: 'BAD_USER_INPUT', field: 'messages' },
    });
  }
});

test('publishMessages refuses more than 100 messages and publishes nothing', async () => {
  await using service = await startService();
  await createChannel(service, 'room');
  const { errors } = await ask(
    service,
    numbers(101).map((data) => ({ channel: 'room', event: 'said', data })),
  );
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 100 });
  const { channel } = await service.request(
    `{ channel(id: "room") { messages(last: 100) { nodes { id } } } }`,
  );
  expect(channel.messages.nodes).toEqual([]);
});

test('neither an outcome nor the audit log repeats an API key that was sent in the place of a channel', async () => {
  const log = createLog();
  await using service = await startService({}, { logger: log.logger });
  const { id, credential } = await mint(service);
  const { secret } = (await service.request('mutation { createApiKey { secret } }')).createApiKey;
  const { data } = await ask(service, [{ channel: secret, event: 'said' }], credential);
  expect(data!['publishMessages'][0].error).toMatchObject({
    code: 'FORBIDDEN',
    message: 'The channel “[redacted]” does not exist, or this caller may not PUBLISH in it.',
  });
  expect(log.audited().filter(({ action }) => action === 'refused')).toMatchObject([{ actor: id }]);
  expect(log.lines.join('\n')).not.toContain(secret);
});
