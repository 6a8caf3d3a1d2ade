import { afterAll, beforeAll, expect, test } from 'vitest';
import { createManualClock, type ManualClock } from '../support/clock.ts';
import { forge } from '../support/forge.ts';
import { createLog, type Log } from '../support/log.ts';
import { codeOf, createProject } from '../support/projects.ts';
import {
  createApiKey,
  refusalCodeOf,
  refusalMessageOf,
  sign,
  signingKeyOf,
} from '../support/external-credentials.ts';
import { API_KEY, startService, type ServiceClient, type TestService } from '../support/service.ts';
import { openSocket } from '../support/socket.ts';
import { fetchStream } from '../support/sse.ts';

let signalbox: TestService;
let clock: ManualClock;
let log: Log;
/** Keys that must be refused, by the reason. */
let invalidKeys: Record<string, string>;

const REVOKE = 'mutation ($id: ID!) { revokeApiKey(id: $id) { id revokedAt } }';
const ROTATE =
  'mutation ($id: ID!, $s: Int) { rotateApiKey(id: $id, overlapSeconds: $s) { secret apiKey { id isOperator } } }';
const VIEWER = '{ viewer { kind } }';

beforeAll(async () => {
  clock = createManualClock();
  log = createLog();
  signalbox = await startService({ connectsPerSecond: 1e6 }, { clock, logger: log.logger });
  const [revoked, rotated, other] = [
    await createApiKey(signalbox),
    await createApiKey(signalbox),
    await createApiKey(signalbox),
  ];
  await signalbox.request(REVOKE, { id: revoked.id });
  await signalbox.request(ROTATE, { id: rotated.id, s: 60 });
  await clock.advance(60_000);
  const secretOf = (text: string) => text.split('.')[1]!;
  invalidKeys = {
    'an unknown id': 'key_absent.0123456789abcdef0123456789',
    'an unknown id with a known secret': `key_absent.${secretOf(API_KEY)}`,
    'a wrong secret': `${API_KEY.slice(0, -1)}x`,
    'a truncated secret': API_KEY.slice(0, -1),
    'a secret with an extra character': `${API_KEY}0`,
    'the secret of another key': `key_test.${secretOf(other.secret)}`,
    'the secret in upper case': `key_test.${secretOf(API_KEY).toUpperCase()}`,
    'the id in upper case': `key_TEST.${secretOf(API_KEY)}`,
    'a revoked key': revoked.secret,
    'a rotated key after its overlap': rotated.secret,
    'an id without a secret': 'key_test',
    'an id with a dot and no secret': 'key_test.',
    'an empty id': `key_.${secretOf(API_KEY)}`,
    'only the prefix': 'key_',
    'three parts': `${API_KEY}.${secretOf(API_KEY)}`,
    'two keys': `${API_KEY},${API_KEY}`,
    'two prefixes': `key_${API_KEY}`,
    '__proto__ as the id': 'key___proto__.0123456789abcdef0123456789',
    'constructor as the id': 'key_constructor.0123456789abcdef0123456789',
    'a SQL wildcard': 'key_%.0123456789abcdef0123456789',
    'a SQL injection': "key_test'--.0123456789abcdef0123456789",
    'a percent-encoded id': 'key_%74est.0123456789abcdef0123456789',
    'a path': 'key_../../test.0123456789abcdef0123456789',
    'a very long id': `key_${'a'.repeat(4000)}.0123456789abcdef`,
    'a very long secret': `key_test.${'a'.repeat(9000)}`,
    'a secret of dots': `key_test.${'.'.repeat(200)}`,
    'a hash of the secret': 'key_test.47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  };
});
afterAll(() => signalbox[Symbol.asyncDispose]());

/** The complete responses to a key over HTTP, SSE and WebSocket. */
async function responsesTo(key: string): Promise<object> {
  const response = await fetch(`${signalbox.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${key}`,
    },
    body: JSON.stringify({ query: VIEWER }),
  });
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== 'date'));
  const stream = await fetchStream(signalbox, 'subscription { events { at } }', key);
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { apiKey: key } });
  const close = await socket.closed;
  return {
    http: { status: response.status, headers, body: await response.text() },
    sse: { status: stream.status, body: await stream.text() },
    socket: { close, waiting: socket.waiting },
  };
}

test('refuses every invalid key with the same response over HTTP, SSE and WebSocket', async () => {
  const message = 'The API key is unknown, expired or revoked.';
  const body = JSON.stringify({
    errors: [{ message, extensions: { code: 'UNAUTHENTICATED', retryable: false } }],
  });
  const expected = await responsesTo('key_absent.0123456789abcdef0123456789');
  expect(expected).toMatchObject({
    http: { status: 401, body },
    socket: { close: { code: 4401, reason: message }, waiting: [] },
  });
  for (const [reason, key] of Object.entries(invalidKeys)) {
    expect({ reason, responses: await responsesTo(key) }).toEqual({ reason, responses: expected });
  }
  // A valid key is accepted, so the refusals above are not caused by the service itself.
  expect(await refusalCodeOf(signalbox, API_KEY)).toBe('open');
});

test('audits each refused key once and logs none of its secret', async () => {
  const refusals = () => log.audited().filter(({ action }) => action === 'refused').length;
  for (const [reason, key] of Object.entries(invalidKeys)) {
    const before = refusals();
    expect(await refusalCodeOf(signalbox, key)).toBe('UNAUTHENTICATED');
    expect({ reason, refusals: refusals() }).toEqual({ reason, refusals: before + 1 });
    const [, secret = ''] = key.split('.');
    if (secret.length >= 12) expect(log.lines.join('\n')).not.toContain(secret.slice(-12));
  }
});

test.each([
  ['__proto__', { apiKey: '__proto__' }],
  ['an object', { apiKey: { toString: 'key_test' } }],
  ['a list', { apiKey: [API_KEY] }],
  ['a number', { apiKey: 1 }],
  ['a key with a trailing newline', { apiKey: `${API_KEY}\n` }],
  ['a key with a leading space', { apiKey: ` ${API_KEY}` }],
  ['a key with a trailing NUL', { apiKey: `${API_KEY}\0` }],
  ['a key with full-width letters', { apiKey: API_KEY.replace('key', 'ｋｅｙ') }],
  ['a key with the Bearer prefix', { apiKey: `Bearer ${API_KEY}` }],
])('closes the WebSocket with 4401 when apiKey is %s', async (_, payload) => {
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload });
  const { code, reason } = await socket.closed;
  expect({ code, reason }).toEqual({
    code: 4401,
    reason: expect.stringMatching(/^The (API key|credentials?) /) as string,
  });
});

test('refuses credentials signed with an invalid key with the message for an unknown signer', async () => {
  const cannotSign = await createApiKey(signalbox, { canSign: false });
  const revoked = signingKeyOf(invalidKeys['a revoked key']!);
  const rotated = signingKeyOf(invalidKeys['a rotated key after its overlap']!);
  const unknown = { id: 'key_absent', secret: invalidKeys['an unknown id']! };
  const elsewhere = await createApiKey(await createProject(signalbox, 'elsewhere'));
  const messages = new Set<string>();
  for (const key of [cannotSign, revoked, rotated, unknown]) {
    messages.add(await refusalMessageOf(signalbox, await sign(key, { sub: 'ada' })));
    messages.add(await refusalMessageOf(signalbox, await sign(key, { sub: 'ada' }, { by: 'iss' })));
  }
  expect(messages).toEqual(new Set(['The credential is refused: no issuer of this project signed it.']));
  // The key determines the project, so a key of another project signs for that project.
  expect(await refusalCodeOf(signalbox, await sign(elsewhere, { sub: 'ada' }))).toBe('open');
  const validKey = await createApiKey(signalbox);
  const partialSecrets = [
    validKey.secret.split('.')[1]!,
    `${validKey.secret}.`,
    validKey.id,
    validKey.secret.slice(4),
  ];
  for (const secret of partialSecrets) {
    const credential = forge({ alg: 'HS256', kid: validKey.id }, { sub: 'ada' }, secret);
    expect(await refusalCodeOf(signalbox, credential)).toBe('UNAUTHENTICATED');
  }
});

test('refuses to rotate or revoke the operator’s key with any other API key', async () => {
  const plain = await createApiKey(signalbox);
  const elsewhere = await createProject(signalbox, 'other');
  const successor = (await signalbox.request(ROTATE, { id: 'key_test' })).rotateApiKey;
  expect(successor.apiKey.isOperator).toBe(true);
  const as = (bearer: string): Pick<ServiceClient, 'ask'> => ({
    ask: (query, variables) => signalbox.ask(query, variables, bearer),
  });
  for (const id of ['key_test', successor.apiKey.id]) {
    for (const query of [ROTATE, REVOKE]) {
      expect(codeOf(await as(plain.secret).ask(query, { id }))).toBe('FORBIDDEN');
      expect(codeOf(await elsewhere.ask(query, { id }))).toBe('NOT_FOUND');
    }
    expect(await refusalCodeOf(signalbox, API_KEY)).toBe('open');
  }
  // A plain key may rotate and revoke other plain keys of its project.
  const another = await createApiKey(signalbox);
  const rotated = await as(plain.secret).ask(ROTATE, { id: another.id });
  expect(rotated.data.rotateApiKey.apiKey.isOperator).toBe(false);
  expect(codeOf(await as(plain.secret).ask(REVOKE, { id: another.id }))).toBeUndefined();
  expect(codeOf(await as(successor.secret).ask(REVOKE, { id: 'key_test' }))).toBeUndefined();
  expect(await refusalCodeOf(signalbox, API_KEY)).toBe('UNAUTHENTICATED');
});
