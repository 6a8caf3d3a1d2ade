import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { startService, type TestService } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';

/** Bursts of four. */
const CONFIG = { changesPerSecondPerToken: 2 };

async function startHall() {
  const clock = createManualClock();
  const signalbox = await startService(CONFIG, { clock });
  await createChannel(signalbox, 'hall', { type: 'PUBLIC' });
  return { clock, signalbox };
}

/** The code of the error of an operation; undefined if it succeeded. */
async function codeOf({ ask }: TestService, query: string, variables: object, bearer?: string) {
  return (await ask(query, variables, bearer)).errors?.[0]?.extensions['code'];
}

const OTHERS = [
  'mutation ($t: ID!) { mute(token: $t, channel: "hall") { kind } }',
  'mutation ($t: ID!) { unmute(token: $t, channel: "hall") { kind } }',
  'mutation ($t: ID!) { ban(token: $t, channel: "hall") { kind } }',
  'mutation ($t: ID!) { unban(token: $t, channel: "hall") { kind } }',
  'mutation ($t: ID!) { disconnect(token: $t, channel: "hall") }',
];
const OWN = [
  'mutation ($t: ID!) { subscribeToken(channel: "hall", token: $t) { createdAt } }',
  'mutation ($t: ID!) { unsubscribeToken(channel: "hall", token: $t) { createdAt } }',
];

test('limits the actions of one moderator, and neither those of another nor of an API key', async () => {
  const { clock, signalbox } = await startHall();
  await using _ = signalbox;
  const [ada, bob] = [
    await mint(signalbox, { role: 'MODERATOR' }),
    await mint(signalbox, { role: 'MODERATOR' }),
  ];
  const { id: t } = await mint(signalbox);
  for (const query of OTHERS.slice(0, 4))
    expect(await codeOf(signalbox, query, { t }, ada.credential)).toBeUndefined();
  for (const query of OTHERS) {
    expect(await codeOf(signalbox, query, { t }, ada.credential)).toBe('RATE_LIMITED');
    expect(await codeOf(signalbox, query, { t })).toBeUndefined();
  }
  expect(await codeOf(signalbox, OTHERS[0]!, { t }, bob.credential)).toBeUndefined();
  await clock.advance(500);
  expect(await codeOf(signalbox, OTHERS[4]!, { t }, ada.credential)).toBeUndefined();
});

test('limits the changes that a token makes to its memberships', async () => {
  const { clock, signalbox } = await startHall();
  await using _ = signalbox;
  const { id: t, credential } = await mint(signalbox);
  for (const query of OWN) expect(await codeOf(signalbox, query, { t }, credential)).toBeUndefined();
  for (const query of OWN) expect(await codeOf(signalbox, query, { t }, credential)).toBeUndefined();
  for (const query of OWN) {
    expect(await codeOf(signalbox, query, { t }, credential)).toBe('RATE_LIMITED');
  }
  for (let i = 0; i < 6; i++)
    for (const query of OWN) expect(await codeOf(signalbox, query, { t })).toBeUndefined();
  await clock.advance(500);
  expect(await codeOf(signalbox, OWN[0]!, { t }, credential)).toBeUndefined();
});

/** Subscribes with an operation id. Resolves to the code of the refusal, or undefined. */
async function join(socket: RawSocket, id: string, query: string): Promise<unknown> {
  socket.send({ id, type: 'subscribe', payload: { query } });
  // A refusal reads no more than the probes do, so it arrives before the last of them.
  for (let probe = 0; probe < 3; probe++) {
    socket.send({
      id: `probe ${id}`,
      type: 'subscribe',
      payload: { query: '{ channel(id: "hall") { id } }' },
    });
    for (;;) {
      const message = await socket.next();
      const [error] = message.payload?.errors ?? [];
      if (error) return error.extensions.code;
      if (message.type === 'complete' && message.id === `probe ${id}`) break;
    }
  }
  return undefined;
}

test.each([
  { stream: 'messages', query: 'subscription { messages(channel: "hall") { id } }' },
  { stream: 'events', query: 'subscription { events { __typename } }' },
])('limits the joins of a connection that leaves and joins by $stream', async ({ query }) => {
  const { clock, signalbox } = await startHall();
  await using _ = signalbox;
  const { credential } = await mint(signalbox, { channels: ['hall'] });
  using socket = await connectSocket(signalbox, { token: credential });
  const leaveAndJoin = async (n: number) => {
    socket.send({ id: `${n - 1}`, type: 'complete' });
    return join(socket, `${n}`, query);
  };
  for (let n = 0; n < 5; n++) expect(await leaveAndJoin(n)).toBeUndefined();
  expect(await leaveAndJoin(5)).toBe('RATE_LIMITED');
  expect(await join(socket, '6', query)).toBe('RATE_LIMITED');
  await clock.advance(500);
  expect(await join(socket, '7', query)).toBeUndefined();
});

test('does not limit the first joins of a connection, nor API keys', async () => {
  const { signalbox } = await startHall();
  await using _ = signalbox;
  const { credential } = await mint(signalbox);
  using socket = await connectSocket(signalbox, { token: credential });
  for (let n = 0; n < 20; n++) {
    await createChannel(signalbox, `room${n}`, { type: 'PUBLIC' });
    expect(
      await join(socket, `${n}`, `subscription { messages(channel: "room${n}") { id } }`),
    ).toBeUndefined();
  }
  using backend = await connectSocket(signalbox, { apiKey: signalbox.apiKey });
  for (let n = 0; n < 20; n++) {
    backend.send({ id: `${n - 1}`, type: 'complete' });
    expect(await join(backend, `${n}`, 'subscription { messages(channel: "hall") { id } }')).toBeUndefined();
  }
});
