import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mint } from '../support/backend.ts';
import { type Answer } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';
import { echoes, junk, mutate, sign, unsigned } from '../authorization-matrix/arbitraries.ts';
import { createIssuerFixture, type IssuerFixture } from '../authorization-matrix/issuer-fixture.ts';
import { tryConnect } from '../authorization-matrix/authenticate.ts';

let kinds: IssuerFixture;
/** A real credential of each kind, ours and API keys included. */
let real: string[];

beforeAll(async () => {
  kinds = await createIssuerFixture();
  const { signalbox } = kinds;
  const development = await signalbox.request(
    'mutation { createDevelopmentToken(identity: "ada-the-user") }',
  );
  real = [
    ...Object.values(await kinds.validCredentials()),
    (await mint(signalbox, { identity: 'ada-the-user' })).credential,
    development.createDevelopmentToken,
    signalbox.apiKey,
  ];
});
afterAll(() => kinds[Symbol.asyncDispose]());

/** What a header may hold. */
const sendable = (text: string) => /^[\x21-\x7e\xa1-\xff]+$/.test(text);

const mutated = mutate(() => real);
const signed = sign(() => kinds);
const FAMILIES = { junk, mutated, unsigned, signed };
const TOLD = ['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'TOKEN_REVOKED'];
const families = Object.entries(FAMILIES);

/** Whatever was logged since it was last asked. */
let seen = 0;
function newLines(): string {
  const lines = kinds.log.lines.slice(seen).join('\n');
  seen = kinds.log.lines.length;
  return lines;
}

test.each(families)(
  'over HTTP %s is answered as credentials are, and nobody repeats it',
  async (_, family) => {
    const { url } = kinds.signalbox;
    newLines();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(family.filter(sendable), async (credential) => {
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
          expect(errors.map(({ extensions }) => TOLD.includes(String(extensions['code'])))).toEqual([true]);
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

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme-composite' }),
  ...Object.values(FAMILIES),
);

test('over WebSocket anything at all is let in, or closed as credentials are', async () => {
  newLines();
  await fc.assert(
    fc.asyncProperty(anything, fc.constantFrom('token', 'apiKey', 'project'), async (text, name) => {
      expect([undefined, 4401, 4403]).toContain(await tryConnect(kinds.signalbox, { [name]: text }));
      expect(echoes(newLines(), text)).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test('whatever JSON a connection begins with, it is let in or closed', async () => {
  const params = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.dictionary(
      fc.constantFrom('token', 'apiKey', 'project', '__proto__', 'constructor'),
      fc.jsonValue({ maxDepth: 3 }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(params, async (payload) => {
      expect([undefined, 4400, 4401]).toContain(await tryConnect(kinds.signalbox, payload as object));
    }),
    { numRuns: 200 },
  );
});

test('a live socket that re-authenticates with anything at all lives on', async () => {
  const { credential } = await mint(kinds.signalbox);
  using socket = await connectSocket(kinds.signalbox, { token: credential });
  const query = 'mutation ($c: String!) { reauthenticate(credential: $c) { kind } }';
  newLines();
  let id = 0;
  await fc.assert(
    fc.asyncProperty(anything, async (text) => {
      socket.send({ id: String(++id), type: 'subscribe', payload: { query, variables: { c: text } } });
      const { type, payload } = await socket.next();
      const errors = type === 'error' ? payload : payload.errors;
      if (type === 'next') expect(await socket.next()).toEqual({ id: String(id), type: 'complete' });
      expect(errors).toHaveLength(1);
      expect([...TOLD, 'FORBIDDEN']).toContain(errors[0].extensions.code);
      expect(echoes(JSON.stringify(errors) + newLines(), text)).toBe(false);
    }),
    { numRuns: 400 },
  );
  socket.send({ type: 'ping' });
  expect(await socket.next()).toEqual({ type: 'pong' });
});

test('what is looked for would be found, and what is tried is not all refused', async () => {
  const { ask } = kinds.signalbox;
  const name = 'a-channel-that-is-not-there';
  expect(echoes(JSON.stringify(await ask(`{ channel(id: "${name}") { id } }`)), name)).toBe(true);
  for (const family of [mutated, signed]) {
    let letIn = 0;
    for (const credential of fc.sample(family, { numRuns: 100, seed: 1 }).filter(sendable)) {
      if (!(await ask('{ viewer { kind } }', {}, credential)).errors) letIn++;
    }
    expect(letIn).toBeGreaterThan(2);
  }
});
