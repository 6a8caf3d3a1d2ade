import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mutatedCredential } from '../support/hostile-credentials.ts';
import { mint } from '../support/backend.ts';
import { type Answer } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';
import { echoes, junk, sign, unsigned } from '../authorization-matrix/arbitraries.ts';
import { createIssuerFixture, type IssuerFixture } from '../authorization-matrix/issuer-fixture.ts';
import { tryConnect } from '../authorization-matrix/authenticate.ts';

let fixture: IssuerFixture;
/** A valid credential of each kind, including those that Signalbox signs, and an API key. */
let valid: string[];

beforeAll(async () => {
  fixture = await createIssuerFixture();
  const { signalbox } = fixture;
  const development = await signalbox.request(
    'mutation { createDevelopmentToken(identity: "ada-the-user") }',
  );
  valid = [
    ...Object.values(await fixture.validCredentials()),
    (await mint(signalbox, { identity: 'ada-the-user' })).credential,
    development.createDevelopmentToken,
    signalbox.apiKey,
  ];
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** Whether an HTTP header can carry the text. */
const isHeaderSafe = (text: string) => /^[\x21-\x7e\xa1-\xff]+$/.test(text);

const mutated = mutatedCredential(() => valid);
const signed = sign(() => fixture);
const FAMILIES = { junk, mutated, unsigned, signed };
const CREDENTIAL_ERRORS = ['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'TOKEN_REVOKED'];
const families = Object.entries(FAMILIES);

/** The log lines since the last call. */
let readLines = 0;
function newLines(): string {
  const lines = fixture.log.lines.slice(readLines).join('\n');
  readLines = fixture.log.lines.length;
  return lines;
}

test.each(families)(
  'HTTP answers %s input with a caller or a credential error, and repeats the input neither in the answer nor in the log',
  async (_, family) => {
    const { url } = fixture.signalbox;
    newLines();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(family.filter(isHeaderSafe), async (credential) => {
        const response = await fetch(`${url}/graphql`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/graphql-response+json',
            authorization: `Bearer ${credential}`,
          },
          body: '{"query":"{ viewer { kind } }"}',
        });
        const text = await response.text();
        const { data, errors } = JSON.parse(text) as Answer;
        if (errors) {
          expect(response.status).toBe(401);
          expect(
            errors.map(({ extensions }) => CREDENTIAL_ERRORS.includes(String(extensions['code']))),
          ).toEqual([true]);
          expect(data).toBeUndefined();
        } else {
          expect([response.status, Object.keys(data.viewer)]).toEqual([200, ['kind']]);
          expect(['TOKEN', 'API_KEY']).toContain(data.viewer.kind);
        }
        expect(echoes(text + newLines(), credential), text).toBe(false);
        count++;
      }),
      { numRuns: 300 },
    );
    expect(count).toBeGreaterThanOrEqual(300);
  },
);

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme-composite' }),
  ...Object.values(FAMILIES),
);

test('WebSocket accepts any text as a credential, API key or project, or closes with 4401 or 4403', async () => {
  newLines();
  await fc.assert(
    fc.asyncProperty(anyText, fc.constantFrom('token', 'apiKey', 'project'), async (text, name) => {
      expect([undefined, 4401, 4403]).toContain(await tryConnect(fixture.signalbox, { [name]: text }));
      expect(echoes(newLines(), text)).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test('WebSocket accepts any JSON in connection_init, or closes with 4400 or 4401', async () => {
  const params = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.dictionary(
      fc.constantFrom('token', 'apiKey', 'project', '__proto__', 'constructor'),
      fc.jsonValue({ maxDepth: 3 }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(params, async (payload) => {
      expect([undefined, 4400, 4401]).toContain(await tryConnect(fixture.signalbox, payload as object));
    }),
    { numRuns: 200 },
  );
});

test('a live socket stays open when it re-authenticates with any text', async () => {
  const { credential } = await mint(fixture.signalbox);
  using socket = await connectSocket(fixture.signalbox, { token: credential });
  const query = 'mutation ($c: String!) { reauthenticate(credential: $c) { kind } }';
  newLines();
  let id = 0;
  await fc.assert(
    fc.asyncProperty(anyText, async (text) => {
      socket.send({ id: String(++id), type: 'subscribe', payload: { query, variables: { c: text } } });
      const { type, payload } = await socket.next();
      const errors = type === 'error' ? payload : payload.errors;
      if (type === 'next') expect(await socket.next()).toEqual({ id: String(id), type: 'complete' });
      expect(errors).toHaveLength(1);
      expect([...CREDENTIAL_ERRORS, 'FORBIDDEN']).toContain(errors[0].extensions.code);
      expect(echoes(JSON.stringify(errors) + newLines(), text)).toBe(false);
    }),
    { numRuns: 400 },
  );
  socket.send({ type: 'ping' });
  expect(await socket.next()).toEqual({ type: 'pong' });
});

test('the search for echoes finds a repeated name, and the service accepts some mutated credentials', async () => {
  const { ask } = fixture.signalbox;
  const name = 'a-channel-that-is-not-there';
  expect(echoes(JSON.stringify(await ask(`{ channel(id: "${name}") { id } }`)), name)).toBe(true);
  for (const family of [mutated, signed]) {
    let accepted = 0;
    for (const credential of fc.sample(family, { numRuns: 100, seed: 1 }).filter(isHeaderSafe)) {
      if (!(await ask('{ viewer { kind } }', {}, credential)).errors) accepted++;
    }
    expect(accepted).toBeGreaterThan(2);
  }
});
