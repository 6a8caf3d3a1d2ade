import { pino } from 'pino';
import { expect, test } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import { auditLoggerOf } from '../../src/logger.ts';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { forge } from '../support/forge.ts';
import { createLog, type Log } from '../support/log.ts';
import { startService } from '../support/service.ts';
import { openSocket, upgrade } from '../support/socket.ts';
import { askEachTransport } from '../support/transports.ts';

const refusals = ({ audited }: Log) => audited().filter(({ action }) => action === 'refused');

test.each([
  { field: 'createToken', query: 'mutation { createToken { credential } }' },
  {
    field: 'publishMessage',
    query: 'mutation { a: publishMessage(channel: "news", event: "e") { connections } }',
  },
  { field: 'messages', query: 'subscription { messages(channel: "news") { id } }' },
  { field: 'presence', query: 'subscription { presence(channel: "nowhere") { at } }' },
])('audits a refused $field once for each transport', async ({ field, query }) => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  await createChannel(signalbox, 'news');
  const { id, credential } = await mint(signalbox);
  const answers = await askEachTransport(signalbox, credential, { query });
  // A subscription over HTTP without an event stream is a mistake of the client.
  if (query.startsWith('subscription')) delete answers['HTTP'];
  for (const answer of Object.values(answers)) {
    expect(answer.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
  const entry = { action: 'refused', projectId: 'default', actor: id, code: 'FORBIDDEN', field };
  expect(refusals(log)).toMatchObject(Object.values(answers).map(() => entry));
});

test('audits a refusal before authentication as anonymous', async () => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  const { id, credential } = await mint(signalbox);
  await revokeToken(signalbox, id);
  await signalbox.ask('{ viewer { kind } }', {}, credential);
  await signalbox.ask('{ viewer { kind } }', {}, 'x.y.z');
  for (const payload of [{ token: credential }, { apiKey: 'key_x.0123456789abcdef' }]) {
    using socket = await openSocket(signalbox);
    socket.send({ type: 'connection_init', payload });
    await socket.closed;
  }
  const headers = { origin: 'https://evil.example' };
  await upgrade(signalbox, { headers });
  await fetch(`${signalbox.url}/graphql`, { headers });
  expect(refusals(log)).toMatchObject(
    ['TOKEN_REVOKED', 'UNAUTHENTICATED', 'TOKEN_REVOKED', 'UNAUTHENTICATED', 'FORBIDDEN', 'FORBIDDEN'].map(
      (code) => ({
        action: 'refused',
        actor: 'anonymous',
        code,
        message: expect.stringMatching(/\.$/) as string,
      }),
    ),
  );
});

test('does not audit mistakes of a client', async () => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  for (const query of [
    '{',
    '{ nothing }',
    '{ tokens(first: 0) { nodes { id } } }',
    '{ channel(id: "none") { id } }',
  ]) {
    expect((await signalbox.ask(query)).errors).toHaveLength(1);
  }
  expect(refusals(log)).toEqual([]);
});

test('does not log the channel id when a token unsubscribes from a channel that it never joined', async () => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  const { id, credential } = await mint(signalbox);
  const unsubscribe =
    'mutation ($c: ID!, $t: ID!) { unsubscribeToken(channel: $c, token: $t) { createdAt } }';
  const unknownChannel = 'made-up-'.repeat(1000);
  expect(await signalbox.request(unsubscribe, { c: unknownChannel, t: id }, credential)).toEqual({
    unsubscribeToken: null,
  });
  expect(log.lines.join()).not.toContain('made-up');
});

test.each([
  { input: 'no credential', credential: null, expected: { reason: 'NO_CREDENTIAL' } },
  { input: 'no JWT', credential: 'x.y.z', expected: { reason: 'MALFORMED' } },
  { input: 'an unknown API key', credential: 'key_x.0123456789abcdef', expected: { reason: 'API_KEY' } },
  {
    input: 'a credential of the service with another signature',
    credential: (valid: string) => `${valid.slice(0, -3)}AAA`,
    expected: { reason: 'SIGNATURE' },
  },
  {
    input: 'a credential that no issuer signed',
    credential: () => forge({ alg: 'HS256', kid: 'unknown' }, { sub: 'ada' }, 'x'.repeat(32)),
    expected: { reason: 'UNKNOWN_ISSUER' },
  },
])(
  'the audit entry of a refusal of $input has the address, the actor and the reason',
  async ({ credential, expected }) => {
    const log = createLog();
    await using signalbox = await startService({ trustedProxies: 1 }, { logger: log.logger });
    const valid = (await mint(signalbox)).credential;
    const bearer = typeof credential === 'function' ? credential(valid) : credential;
    const headers = {
      'content-type': 'application/json',
      'x-forwarded-for': '2001:db8::1',
      ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
    };
    const body = JSON.stringify({ query: 'mutation { createToken { credential } }' });
    await fetch(`${signalbox.url}/graphql`, { method: 'POST', headers, body });
    using socket = await openSocket(signalbox, { headers: { 'x-forwarded-for': '2001:db8::1' } });
    const [kind, payload] =
      bearer === null
        ? ['ANONYMOUS', {}]
        : ['', bearer.startsWith('key_') ? { apiKey: bearer } : { token: bearer }];
    socket.send({ type: 'connection_init', payload });
    if (kind === 'ANONYMOUS') {
      await socket.next();
      socket.send({ id: '1', type: 'subscribe', payload: JSON.parse(body) });
      await socket.next();
    } else await socket.closed;
    const entries = refusals(log);
    expect(entries).toHaveLength(2);
    for (const entry of entries) expect(entry).toMatchObject({ address: '2001:db8::/64', ...expected });
    if (bearer !== null) expect(log.lines.join()).not.toContain(bearer.slice(-12));
  },
);

test('a refusal of a token names the rule and the issuer in the audit log, and not to the client', async () => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  await createChannel(signalbox, 'private');
  await createChannel(signalbox, 'open', { type: 'PUBLIC' });
  const { credential } = await mint(signalbox, { role: 'SUBSCRIBER' });
  const publish = 'mutation ($c: ID!) { publishMessage(channel: $c, event: "e") { connections } }';
  const answers = [];
  for (const c of ['private', 'open', 'nowhere'])
    answers.push(await signalbox.ask(publish, { c }, credential));
  expect(refusals(log)).toMatchObject([
    { reason: 'ROLE', issuer: 'key_test', address: '127.0.0.1' },
    { reason: 'ROLE', issuer: 'key_test', address: '127.0.0.1' },
    { reason: 'NOT_FOUND', issuer: 'key_test', address: '127.0.0.1' },
  ]);
  for (const { errors } of answers)
    expect(errors?.[0]?.extensions).toEqual({ code: 'FORBIDDEN', retryable: false });
});

test('lines of refusals are limited per address and in total, and the others are counted', async () => {
  const log = createLog();
  const clock = createManualClock();
  const config = { auditedRefusalsPerSecondPerAddress: 5, auditedRefusalsPerSecond: 10, trustedProxies: 1 };
  {
    await using signalbox = await startService(config, { logger: log.logger, clock });
    const fields = Array.from({ length: 30 }, (_, n) => `f${n}: token(id: "x") { id }`).join(' ');
    const refuse = async (address: string) => {
      const response = await fetch(`${signalbox.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
        body: JSON.stringify({ query: `{ ${fields} }` }),
      });
      return ((await response.json()) as { errors: unknown[] }).errors.length;
    };
    for (let n = 1; n <= 4; n++) expect(await refuse(`192.0.2.${n}`)).toBe(30);
    // 10 lines of each of two addresses use up the 20 of all.
    expect(refusals(log)).toHaveLength(20);
    await clock.advance(10_000);
    const omitted = log.audited().filter(({ action }) => action === 'refused.omitted');
    expect(omitted).toEqual(
      [3, 4, 1, 2].map((n) => ({
        action: 'refused.omitted',
        actor: 'anonymous',
        address: `192.0.2.${n}`,
        count: n > 2 ? 30 : 20,
      })),
    );
    for (let n = 1; n <= 15; n++) await refuse(`192.0.2.${n}`);
    expect(refusals(log)).toHaveLength(40);
  }
  // The last ones are counted when the service ends.
  const rest = log
    .audited()
    .filter(({ action }) => action === 'refused.omitted')
    .slice(4);
  expect(rest).toHaveLength(11);
  expect(rest.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(15 * 30 - 20);
  expect(rest.at(-1)).not.toHaveProperty('address');
});

test.each(['warn', 'error'] as const)('at the log level %s the audit log has refusals', async (level) => {
  const lines: string[] = [];
  const logger = pino({ level }, { write: (line) => lines.push(line) });
  auditLoggerOf({ ...defaultConfig(), logLevel: level }, logger)?.info(
    { audit: { action: 'refused' } },
    'refused',
  );
  expect(lines).toHaveLength(1);
  expect(auditLoggerOf({ ...defaultConfig(), logLevel: 'silent' }, logger)).toBeUndefined();
});

test('RATE_LIMITED has a Retry-After header over HTTP, however the request is answered', async () => {
  const clock = createManualClock();
  await using signalbox = await startService(
    { publishesPerSecondPerToken: 1, operationCostPerSecondPerToken: 100 },
    { clock },
  );
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const post = async (credential: string, accept: string, query: string) => {
    const response = await fetch(`${signalbox.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${credential}` },
      body: JSON.stringify({ query }),
    });
    return { text: await response.text(), retryAfter: response.headers.get('retry-after') };
  };
  const field = 'publishMessage(channel: "news", event: "e") { connections }';
  const three = `mutation { a: ${field} b: ${field} c: ${field} }`;
  for (const accept of [
    'application/json',
    'application/graphql-response+json, */*;q=0.1',
    'text/event-stream',
  ]) {
    const { credential } = await mint(signalbox);
    // The last of the fields is refused, and after a while the whole operation.
    expect(await post(credential, accept, three)).toMatchObject({ retryAfter: '1' });
    let refused = await post(credential, accept, '{ viewer { kind } }');
    while (!refused.text.includes('RATE_LIMITED'))
      refused = await post(credential, accept, '{ viewer { kind } }');
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
  }
});
