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
  /** Uses the limit exactly, or exceeds it by one. */
  ask(signalbox: TestService, exceeds: boolean): Promise<Answer>;
}

/** A value whose JSON has `bytes` bytes. */
const text = (bytes: number) => 'x'.repeat(bytes - 2);
const excess = (exceeds: boolean) => (exceeds ? 1 : 0);

const PUBLISH = `mutation ($data: JSON) { publishMessage(channel: "news", event: "e", data: $data) { connections } }`;
const MINT = `mutation ($input: CreateTokenInput) { createToken(input: $input) { credential } }`;
const SET_STATE = `mutation ($state: JSON!) { setChannelState(channel: "news", state: $state) { version } }`;

/** Sends a direct message to a live connection. */
async function publishToConnection(signalbox: TestService, data: unknown): Promise<Answer> {
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
    ask: (signalbox, exceeds) => signalbox.ask(PUBLISH, { data: text(300 + excess(exceeds)) }),
  },
  {
    name: 'maxStateBytes',
    limit: 300,
    code: 'PAYLOAD_TOO_LARGE',
    ask: (signalbox, exceeds) => signalbox.ask(SET_STATE, { state: text(300 + excess(exceeds)) }),
  },
  {
    name: 'maxStateBytes',
    limit: 300,
    code: 'PAYLOAD_TOO_LARGE',
    ask: (signalbox, exceeds) => signalbox.ask(MINT, { input: { state: text(300 + excess(exceeds)) } }),
  },
  {
    name: 'maxPresenceBytes',
    limit: 100,
    code: 'PAYLOAD_TOO_LARGE',
    async ask(signalbox, exceeds) {
      using socket = await connectSocket(signalbox, { token: (await mint(signalbox)).credential });
      const query = 'mutation ($state: JSON) { setPresence(state: $state) { id } }';
      const variables = { state: text(100 + excess(exceeds)) };
      socket.send({ id: '1', type: 'subscribe', payload: { query, variables } });
      return (await socket.next()).payload;
    },
  },
  {
    name: 'maxSignalBytes',
    limit: 300,
    code: 'PAYLOAD_TOO_LARGE',
    ask: (signalbox, exceeds) => publishToConnection(signalbox, 'x'.repeat(300 + excess(exceeds))),
  },
  {
    name: 'maxMembershipsPerToken',
    limit: 1,
    code: 'LIMIT_EXCEEDED',
    async ask(signalbox, exceeds) {
      const { id } = await mint(signalbox, { channels: exceeds ? ['news'] : [] });
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
    ask: (signalbox, exceeds) =>
      signalbox.ask(MINT, { input: { channels: exceeds ? ['news', 'more'] : ['news', 'news'] } }),
  },
  {
    name: 'maxGrantsPerToken',
    limit: 2,
    code: 'BAD_USER_INPUT',
    ask: (signalbox, exceeds) =>
      signalbox.ask(MINT, {
        input: { grants: Array(2 + excess(exceeds)).fill({ channels: 'news', actions: ['SUBSCRIBE'] }) },
      }),
  },
  {
    name: 'retentionMessages',
    limit: 10,
    code: 'BAD_USER_INPUT',
    ask: (signalbox, exceeds) =>
      signalbox.ask('mutation ($n: Int) { createChannel(input: { history: { messages: $n } }) { id } }', {
        n: 10 + excess(exceeds),
      }),
  },
  {
    name: 'retentionSeconds',
    limit: 60,
    code: 'BAD_USER_INPUT',
    ask: (signalbox, exceeds) =>
      signalbox.ask('mutation ($n: Int) { createChannel(input: { history: { seconds: $n } }) { id } }', {
        n: 60 + excess(exceeds),
      }),
  },
];

test.each(rows)(
  '$name accepts the limit and refuses one more with $code',
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
  { name: 'credentialsPerSecond', ask: ({ ask }) => ask(MINT) },
  { name: 'guestsPerSecond', ask: ({ ask }) => ask(`mutation { createGuest { credential } }`, {}, null) },
];

test.each(rates)(
  '$name accepts a burst of twice the rate, then answers RATE_LIMITED with retryAfterSeconds',
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

/** Limits that other tests exceed, with the name of the test file. */
const TESTED_IN: Record<string, string> = {
  handshakeTimeoutMs: 'handshake',
  pingIntervalMs: 'slow-consumer',
  keepAliveMs: 'keep-alive',
  maxQueueBytes: 'slow-consumer',
  maxMessageBytes: 'limits',
  maxConnections: 'limits',
  maxConnectionsPerAddress: 'limits',
  changesPerSecondPerToken: '../moderation/change-rate',
  maxConnectionsPerToken: 'limits',
  maxOperationsPerConnection: 'limits',
  connectsPerSecond: 'limits',
  maxDistinctOperationsPerConnection: 'distinct-operation-limits',
  maxDistinctOperationsPerToken: 'distinct-operation-limits',
  maxDistinctOperationsPerChannel: 'distinct-operation-limits',
  auditedRefusalsPerSecond: 'audit',
  auditedRefusalsPerSecondPerAddress: 'audit',
  maxDepth: 'complexity',
  maxAliases: 'complexity',
  maxDirectives: 'complexity',
  maxTokens: 'complexity',
  maxCost: 'complexity',
  operationCostPerSecondPerToken: 'operation-budget',
  operationCostPerSecondPerAddress: 'operation-budget',
  operationCostPerSecondPerKey: 'operation-budget',
  maxCredentialBytes: '../issuers/provider-options',
  responseTimeoutMs: 'unread-responses',
  maxRetainedBytes: 'retained-memory',
  maxRetainedBytesPerAddress: 'retained-memory',
  maxRetainedBytesPerConnection: 'retained-memory',
  stateChangesPerSecondPerToken: '../channels/state-authority',
  stateChangesPerSecondPerChannel: '../channels/state-authority',
};
/** Intervals and timeouts of the service itself, which no request can exceed. */
const INTERNAL = ['purgeIntervalMs', 'leaseMs', 'drainTimeoutMs', 'drainDelayMs'];

test('every limit has a test that exceeds it', () => {
  const limits = Object.keys(SETTINGS).filter((name) => /^max|PerSecond|Ms$|^retention/.test(name));
  const testedHere = [...rows, ...rates].map(({ name }) => name);
  expect(new Set([...testedHere, ...Object.keys(TESTED_IN), ...INTERNAL])).toEqual(new Set(limits));
  for (const [name, file] of Object.entries(TESTED_IN)) {
    expect(readFileSync(new URL(`${file}.test.ts`, import.meta.url), 'utf8')).toContain(name);
  }
});
