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
/** Keys that open nothing, and why. */
let dead: Record<string, string>;

const REVOKE = 'mutation ($id: ID!) { revokeApiKey(id: $id) { id revokedAt } }';
const ROTATE =
  'mutation ($id: ID!, $s: Int) { rotateApiKey(id: $id, overlapSeconds: $s) { secret apiKey { id isOperator } } }';
const WHO = '{ viewer { kind } }';

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
  dead = {
    'an unknown id': 'key_nobody.0123456789abcdef0123456789',
    'an unknown id with a known secret': `key_nobody.${secretOf(API_KEY)}`,
    'a wrong secret': `${API_KEY.slice(0, -1)}x`,
    'a secret that is cut short': API_KEY.slice(0, -1),
    'a secret that goes on': `${API_KEY}0`,
    'the secret of another key': `key_test.${secretOf(other.secret)}`,
    'the secret in capitals': `key_test.${secretOf(API_KEY).toUpperCase()}`,
    'the id in capitals': `key_TEST.${secretOf(API_KEY)}`,
    'one that was revoked': revoked.secret,
    'one that was rotated out': rotated.secret,
    'an id and nothing': 'key_test',
    'an id and a dot': 'key_test.',
    'an empty id': `key_.${secretOf(API_KEY)}`,
    'nothing but its prefix': 'key_',
    'three parts': `${API_KEY}.${secretOf(API_KEY)}`,
    'two keys': `${API_KEY},${API_KEY}`,
    'two prefixes': `key_${API_KEY}`,
    'the name of what every object has': 'key___proto__.0123456789abcdef0123456789',
    'the name of a constructor': 'key_constructor.0123456789abcdef0123456789',
    'a wildcard': 'key_%.0123456789abcdef0123456789',
    'a statement': "key_test'--.0123456789abcdef0123456789",
    'a percent sign': 'key_%74est.0123456789abcdef0123456789',
    'a path': 'key_../../test.0123456789abcdef0123456789',
    'an id without end': `key_${'a'.repeat(4000)}.0123456789abcdef`,
    'a secret without end': `key_test.${'a'.repeat(9000)}`,
    'a secret of dots': `key_test.${'.'.repeat(200)}`,
    'a hash of the secret': 'key_test.47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  };
});
afterAll(() => signalbox[Symbol.asyncDispose]());

/** All that somebody is told who presents a key, by every door. */
async function allToldTo(key: string): Promise<object> {
  const response = await fetch(`${signalbox.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${key}`,
    },
    body: JSON.stringify({ query: WHO }),
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

test('why a key opens nothing cannot be told from what is answered, by any door', async () => {
  const message = 'The API key is unknown or has ended.';
  const body = JSON.stringify({
    errors: [{ message, extensions: { code: 'UNAUTHENTICATED', retryable: false } }],
  });
  const expected = await allToldTo('key_nobody.0123456789abcdef0123456789');
  expect(expected).toMatchObject({
    http: { status: 401, body },
    socket: { close: { code: 4401, reason: 'UNAUTHENTICATED' }, waiting: [] },
  });
  for (const [what, key] of Object.entries(dead)) {
    expect({ what, told: await allToldTo(key) }).toEqual({ what, told: expected });
  }
  // They were tried on something that opens.
  expect(await refusalCodeOf(signalbox, API_KEY)).toBe('open');
});

test('a key that is refused is in no line of the log, and each refusal is in one', async () => {
  const refusals = () => log.audited().filter(({ action }) => action === 'refused').length;
  for (const [what, key] of Object.entries(dead)) {
    const before = refusals();
    expect(await refusalCodeOf(signalbox, key)).toBe('UNAUTHENTICATED');
    expect({ what, refusals: refusals() }).toEqual({ what, refusals: before + 1 });
    const [, secret = ''] = key.split('.');
    if (secret.length >= 12) expect(log.lines.join('\n')).not.toContain(secret.slice(-12));
  }
});

test.each([
  ['a name in the key’s place', { apiKey: '__proto__' }],
  ['an object', { apiKey: { toString: 'key_test' } }],
  ['a list', { apiKey: [API_KEY] }],
  ['a number', { apiKey: 1 }],
  ['a key with a line end', { apiKey: `${API_KEY}\n` }],
  ['a key with a space before', { apiKey: ` ${API_KEY}` }],
  ['a key with a zero', { apiKey: `${API_KEY}\0` }],
  ['a key in other letters', { apiKey: API_KEY.replace('key', 'ｋｅｙ') }],
  ['a bearer', { apiKey: `Bearer ${API_KEY}` }],
])('over WebSocket %s opens nothing', async (_, payload) => {
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload });
  expect(await socket.closed).toEqual({ code: 4401, reason: 'UNAUTHENTICATED' });
});

test('what a dead key signs is refused in the words for what nobody signed', async () => {
  const mute = await createApiKey(signalbox, { canSign: false });
  const revoked = signingKeyOf(dead['one that was revoked']!);
  const rotated = signingKeyOf(dead['one that was rotated out']!);
  const unknown = { id: 'key_nobody', secret: dead['an unknown id']! };
  const elsewhere = await createApiKey(await createProject(signalbox, 'elsewhere'));
  const told = new Set<string>();
  for (const key of [mute, revoked, rotated, unknown]) {
    told.add(await refusalMessageOf(signalbox, await sign(key, { sub: 'ada' })));
    told.add(await refusalMessageOf(signalbox, await sign(key, { sub: 'ada' }, { by: 'iss' })));
  }
  expect(told).toEqual(new Set(['The credential is refused: nobody whom this project knows has signed it.']));
  // A key names its project; nobody else’s is asked.
  expect(await refusalCodeOf(signalbox, await sign(elsewhere, { sub: 'ada' }))).toBe('open');
  const good = await createApiKey(signalbox);
  const halves = [good.secret.split('.')[1]!, `${good.secret}.`, good.id, good.secret.slice(4)];
  for (const secret of halves) {
    const credential = forge({ alg: 'HS256', kid: good.id }, { sub: 'ada' }, secret);
    expect(await refusalCodeOf(signalbox, credential)).toBe('UNAUTHENTICATED');
  }
});

test('nobody becomes the operator by way of the operator’s key', async () => {
  const plain = await createApiKey(signalbox);
  const elsewhere = await createProject(signalbox, 'walled');
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
  // Among themselves plain keys may do both.
  const another = await createApiKey(signalbox);
  const rotated = await as(plain.secret).ask(ROTATE, { id: another.id });
  expect(rotated.data.rotateApiKey.apiKey.isOperator).toBe(false);
  expect(codeOf(await as(plain.secret).ask(REVOKE, { id: another.id }))).toBeUndefined();
  expect(codeOf(await as(successor.secret).ask(REVOKE, { id: 'key_test' }))).toBeUndefined();
  expect(await refusalCodeOf(signalbox, API_KEY)).toBe('UNAUTHENTICATED');
});
