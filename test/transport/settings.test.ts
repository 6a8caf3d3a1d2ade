import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Config } from '../../src/config.ts';
import { SETTINGS } from '../../src/settings.ts';
import { createChannel, mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type Answer, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

type Name = keyof Config;

interface Row {
  name: Name;
  limit: number;
  code: string;
  /** Asks for as much as is allowed, or for one more. */
  ask(signalbox: TestService, isTooMuch: boolean): Promise<Answer>;
}

/** A JSON string of so many bytes. */
const text = (bytes: number) => 'x'.repeat(bytes - 2);
const more = (isTooMuch: boolean) => (isTooMuch ? 1 : 0);

const PUBLISH = `mutation ($data: JSON) { publishMessage(channel: "news", event: "e", data: $data) { connections } }`;
const MINT = `mutation ($input: CreateTokenInput) { createToken(input: $input) { credential } }`;
const SET_STATE = `mutation ($state: JSON!) { setChannelState(channel: "news", state: $state) { version } }`;

/** Says something to a live connection. */
async function signal(signalbox: TestService, data: unknown): Promise<Answer> {
  const { credential } = await mint(signalbox);
  const events = queueResults(
    signalbox.client({ token: credential }),
    `subscription { events { ... on Connected { connection { id } } } }`,
  );
  const { id } = (await events.next()).events.connection;
  return signalbox.ask(
    `mutation ($c: ID!, $data: JSON) { publishDirectMessage(connection: $c, event: "e", data: $data) { connections } }`,
    { c: id, data },
  );
}

const rows: Row[] = [
  {
    name: 'maxDataBytes',
    limit: 300,
    code: 'PAYLOAD_TOO_LARGE',
    ask: (signalbox, isTooMuch) => signalbox.ask(PUBLISH, { data: text(300 + more(isTooMuch)) }),
  },
  {
    name: 'maxStateBytes',
    limit: 300,
    code: 'PAYLOAD_TOO_LARGE',
    ask: (signalbox, isTooMuch) => signalbox.ask(SET_STATE, { state: text(300 + more(isTooMuch)) }),
  },
  {
    name: 'maxStateBytes',
    limit: 300,
    code: 'PAYLOAD_TOO_LARGE',
    ask: (signalbox, isTooMuch) => signalbox.ask(MINT, { input: { state: text(300 + more(isTooMuch)) } }),
  },
  {
    name: 'maxPresenceBytes',
    limit: 100,
    code: 'PAYLOAD_TOO_LARGE',
    async ask(signalbox, isTooMuch) {
      using socket = await connectSocket(signalbox, { token: (await mint(signalbox)).credential });
      const query = 'mutation ($state: JSON) { setPresence(state: $state) { id } }';
      const variables = { state: text(100 + more(isTooMuch)) };
      socket.send({ id: '1', type: 'subscribe', payload: { query, variables } });
      return (await socket.next()).payload;
    },
  },
  {
    name: 'maxSignalBytes',
    limit: 300,
    code: 'PAYLOAD_TOO_LARGE',
    ask: (signalbox, isTooMuch) => signal(signalbox, 'x'.repeat(300 + more(isTooMuch))),
  },
  {
    name: 'maxMembershipsPerToken',
    limit: 1,
    code: 'LIMIT_EXCEEDED',
    async ask(signalbox, isTooMuch) {
      const { id } = await mint(signalbox, { channels: isTooMuch ? ['news'] : [] });
      return signalbox.ask(
        'mutation ($t: ID!) { subscribeToken(channel: "more", token: $t) { createdAt } }',
        {
          t: id,
        },
      );
    },
  },
  {
    name: 'maxMembershipsPerToken',
    limit: 1,
    code: 'LIMIT_EXCEEDED',
    ask: (signalbox, isTooMuch) =>
      signalbox.ask(MINT, { input: { channels: isTooMuch ? ['news', 'more'] : ['news', 'news'] } }),
  },
  {
    name: 'maxGrantsPerToken',
    limit: 2,
    code: 'BAD_USER_INPUT',
    ask: (signalbox, isTooMuch) =>
      signalbox.ask(MINT, {
        input: { grants: Array(2 + more(isTooMuch)).fill({ channels: 'news', actions: ['SUBSCRIBE'] }) },
      }),
  },
  {
    name: 'retentionMessages',
    limit: 10,
    code: 'BAD_USER_INPUT',
    ask: (signalbox, isTooMuch) =>
      signalbox.ask('mutation ($n: Int) { createChannel(input: { history: { messages: $n } }) { id } }', {
        n: 10 + more(isTooMuch),
      }),
  },
  {
    name: 'retentionSeconds',
    limit: 60,
    code: 'BAD_USER_INPUT',
    ask: (signalbox, isTooMuch) =>
      signalbox.ask('mutation ($n: Int) { createChannel(input: { history: { seconds: $n } }) { id } }', {
        n: 60 + more(isTooMuch),
      }),
  },
];

test.each(rows)(
  '$name: as much is taken, one more is refused with $code',
  async ({ name, limit, code, ask }) => {
    await using signalbox = await startService({ [name]: limit });
    await createChannel(signalbox, 'news');
    await createChannel(signalbox, 'more');
    expect((await ask(signalbox, false)).errors).toBeUndefined();
    const { errors = [] } = await ask(signalbox, true);
    expect(errors.map(({ extensions }) => extensions)).toMatchObject([{ code, retryable: false }]);
    expect(errors[0]?.message).toContain(String(limit));
    if (code !== 'BAD_USER_INPUT') expect(errors[0]?.extensions).toMatchObject({ limit });
  },
);

const rates: { name: Name; ask(signalbox: TestService, credential: string): Promise<Answer> }[] = [
  { name: 'publishesPerSecondPerKey', ask: ({ ask }) => ask(PUBLISH) },
  { name: 'publishesPerSecondPerToken', ask: ({ ask }, credential) => ask(PUBLISH, {}, credential) },
  { name: 'mintsPerSecond', ask: ({ ask }) => ask(MINT) },
  { name: 'guestsPerSecond', ask: ({ ask }) => ask(`mutation { createGuest { credential } }`, {}, null) },
];

test.each(rates)(
  '$name: a burst of twice that passes; then a hint says when to come back',
  async ({ name, ask }) => {
    const clock = createManualClock();
    await using signalbox = await startService({ [name]: 2 }, { clock });
    await createChannel(signalbox, 'news', { type: 'PUBLIC' });
    const { credential } = await mint(signalbox);
    await clock.advance(2000);
    for (let i = 0; i < 4; i++) expect((await ask(signalbox, credential)).errors).toBeUndefined();
    expect((await ask(signalbox, credential)).errors?.map(({ extensions }) => extensions)).toEqual([
      { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 1 },
    ]);
    await clock.advance(1000);
    for (let i = 0; i < 2; i++) expect((await ask(signalbox, credential)).errors).toBeUndefined();
    expect((await ask(signalbox, credential)).errors).toHaveLength(1);
  },
);

/** Bounds that other tests break, by the file that does. */
const SHOWN_IN: Record<string, string> = {
  handshakeTimeoutMs: 'handshake',
  pingIntervalMs: 'slow-consumer',
  maxQueueBytes: 'slow-consumer',
  maxMessageBytes: 'limits',
  maxConnections: 'limits',
  maxConnectionsPerAddress: 'limits',
  maxConnectionsPerToken: 'limits',
  maxOperationsPerConnection: 'limits',
  connectsPerSecond: 'limits',
  maxDepth: 'complexity',
  maxAliases: 'complexity',
  maxDirectives: 'complexity',
  maxTokens: 'complexity',
  maxCost: 'complexity',
};
/** How often the service does what nobody asks it to. */
const INNER = ['purgeIntervalMs', 'leaseMs', 'drainTimeoutMs'];

test('no bound is without a test that breaks it', () => {
  const bounds = Object.keys(SETTINGS).filter((name) => /^max|PerSecond|Ms$|^retention/.test(name));
  const here = [...rows, ...rates].map(({ name }) => name);
  expect(new Set([...here, ...Object.keys(SHOWN_IN), ...INNER])).toEqual(new Set(bounds));
  for (const [name, file] of Object.entries(SHOWN_IN)) {
    expect(readFileSync(new URL(`${file}.test.ts`, import.meta.url), 'utf8')).toContain(name);
  }
});
