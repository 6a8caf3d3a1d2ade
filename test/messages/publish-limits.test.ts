import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { numbers, publishRequest } from '../support/publish.ts';
import { startService, type TestService } from '../support/service.ts';

/** The outcome of each of `times` publishes: an error code, or `published` when it succeeded. */
async function outcomes(signalbox: TestService, times: number, bearer?: string): Promise<string[]> {
  const { query, variables } = publishRequest({ channel: 'room' }, 1);
  const answers = await Promise.all(numbers(times).map(() => signalbox.ask(query, variables, bearer)));
  return answers.map(({ errors }) => (errors ? String(errors[0]?.extensions['code']) : 'published'));
}

const count = (outcomes: string[], outcome: string) => outcomes.filter((one) => one === outcome).length;

test('a token may publish at its rate with a burst of twice the rate, without affecting another token', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ publishesPerSecondPerToken: 5 }, { clock });
  await createChannel(signalbox, 'room');
  const [ada, bob] = [
    await mint(signalbox, { channels: ['room'] }),
    await mint(signalbox, { channels: ['room'] }),
  ];
  const burst = await outcomes(signalbox, 15, ada.credential);
  expect([count(burst, 'published'), count(burst, 'RATE_LIMITED')]).toEqual([10, 5]);
  expect(await outcomes(signalbox, 10, bob.credential)).toEqual(numbers(10).map(() => 'published'));
  expect(await outcomes(signalbox, 20)).toEqual(numbers(20).map(() => 'published'));

  const { query, variables } = publishRequest({ channel: 'room' }, 1);
  const { errors } = await signalbox.ask(query, variables, ada.credential);
  expect(errors?.[0]?.extensions).toEqual({ code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 1 });
  // Waiting for retryAfterSeconds is sufficient.
  await clock.advance(1000);
  const later = await outcomes(signalbox, 6, ada.credential);
  expect([count(later, 'published'), count(later, 'RATE_LIMITED')]).toEqual([5, 1]);
});

test('an API key has its own rate limit, which includes direct messages', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ publishesPerSecondPerKey: 3 }, { clock });
  await createChannel(signalbox, 'room');
  const token = await mint(signalbox, { channels: ['room'] });
  const codes = await outcomes(signalbox, 8);
  expect([count(codes, 'published'), count(codes, 'RATE_LIMITED')]).toEqual([6, 2]);
  const { query, variables } = publishRequest({ token: token.id }, 1);
  expect((await signalbox.ask(query, variables)).errors?.[0]?.extensions['code']).toBe('RATE_LIMITED');
  expect(await outcomes(signalbox, 1, token.credential)).toEqual(['published']);
});

test('a rate-limited publish does not publish a message', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ publishesPerSecondPerKey: 1 }, { clock });
  await createChannel(signalbox, 'room');
  await outcomes(signalbox, 20);
  const { channel } = await signalbox.request(
    `{ channel(id: "room") { messages(last: 100) { nodes { id } } } }`,
  );
  expect(channel.messages.nodes).toHaveLength(2);
});
