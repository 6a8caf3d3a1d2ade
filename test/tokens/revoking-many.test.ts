import { expect, test } from 'vitest';
import { isOnline, mint, sendDirect } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults, type ResultQueue } from '../support/result-queue.ts';
import {
  expectRevoked,
  subscribeOnBothTransports,
  RESTORE,
  restore,
  REVOKE,
  revocationsOf,
  revoke,
  type RevocationTarget,
} from '../support/revocation.ts';
import {
  codeOf,
  createApiKey,
  createIssuer,
  refusalCodeOf,
  EVENTS,
  sign,
  signingKeyOf,
  STREAM,
  stream,
  tokenOf,
} from '../support/external-credentials.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';

/** A credential of each origin: from left to right of ada by Stream, ada by an API key, ada by us, ben by each. */
async function mintAll(signalbox: TestService, seconds: number) {
  const issuer = await createIssuer(signalbox, STREAM);
  const key = await createApiKey(signalbox);
  const credentials: Record<string, string> = {};
  for (const name of ['ada', 'ben']) {
    credentials[`${name} by Stream`] = stream.createToken(name, undefined, seconds);
    credentials[`${name} by a key`] = await sign(key, { sub: name, iat: seconds });
    credentials[`${name} by us`] = (await mint(signalbox, { identity: name })).credential;
  }
  return { issuer, key, credentials };
}

test.each<[string, (made: { issuer: string; key: { id: string } }) => RevocationTarget, string[]]>([
  ['an identity', () => ({ identity: 'ada' }), ['ada by Stream', 'ada by a key', 'ada by us']],
  ['an issuer', ({ issuer }) => ({ issuer }), ['ada by Stream', 'ben by Stream']],
  ['an API key that signs', ({ key }) => ({ issuer: key.id }), ['ada by a key', 'ben by a key']],
  ['an API key that mints', () => ({ issuer: signingKeyOf(API_KEY).id }), ['ada by us', 'ben by us']],
  [
    'the project',
    () => ({ all: true }),
    ['ada by Stream', 'ada by a key', 'ada by us', 'ben by Stream', 'ben by a key', 'ben by us'],
  ],
])(
  'what is of %s ends at once, by every door, and the rest goes on, until it is undone',
  async (_, targetOf, concerned) => {
    const clock = createManualClock();
    await using signalbox = await startService({}, { clock });
    const made = await mintAll(signalbox, clock.now() / 1000);
    const target = targetOf(made);
    await clock.advance(1000);
    const live = new Map<string, { id: string; events: ResultQueue<any>[] }>();
    for (const [name, credential] of Object.entries(made.credentials)) {
      const { id } = await tokenOf(signalbox, credential);
      live.set(name, { id, events: await subscribeOnBothTransports(signalbox, credential) });
    }

    expect(await revoke(signalbox, target)).toBe(2 * concerned.length);
    for (const [name, { id, events }] of live) {
      const isConcerned = concerned.includes(name);
      expect(await isOnline(signalbox, id)).toBe(!isConcerned);
      if (isConcerned) await expectRevoked(events);
      else expect(await sendDirect(signalbox, id, 'still-here')).toBe(2);
      expect(await refusalCodeOf(signalbox, made.credentials[name]!)).toBe(
        isConcerned ? 'TOKEN_REVOKED' : 'open',
      );
      const socket = queueResults(signalbox.client({ token: made.credentials[name]! }), EVENTS);
      if (isConcerned) expect(await socket.ended).toMatchObject({ code: 4403 });
      else await socket.next();
    }
    expect(await revocationsOf(signalbox)).toHaveLength(1);
    expect(await restore(signalbox, target)).toMatchObject({ scope: expect.any(String) });
    expect(await restore(signalbox, target)).toBeNull();
    expect(await revocationsOf(signalbox)).toEqual([]);
    for (const credential of Object.values(made.credentials))
      expect(await refusalCodeOf(signalbox, credential)).toBe('open');
  },
);

test('of an API key it is all that its predecessors and successors signed, whichever of them is named', async () => {
  await using signalbox = await startService();
  const old = await createApiKey(signalbox);
  const { rotateApiKey } = await signalbox.request(
    `mutation ($id: ID!) { rotateApiKey(id: $id) { secret } }`,
    { id: old.id },
  );
  const young = signingKeyOf(rotateApiKey.secret);
  const credentials = [await sign(old, { sub: 'ada' }), await sign(young, { sub: 'ben' })];
  for (const key of [old, young]) {
    for (const credential of credentials) expect(await refusalCodeOf(signalbox, credential)).toBe('open');
    await revoke(signalbox, { issuer: key.id });
    for (const credential of credentials)
      expect(await refusalCodeOf(signalbox, credential)).toBe('TOKEN_REVOKED');
    expect(await revocationsOf(signalbox)).toEqual([{ scope: 'ISSUER', identity: null, issuer: old.id }]);
    await restore(signalbox, { issuer: old.id });
  }
});

test('unsigned ones are revoked together, as of “development”', async () => {
  await using signalbox = await startService();
  await createIssuer(signalbox, STREAM);
  await signalbox.request(`mutation { updateProject(settings: { developmentTokens: true }) { id } }`);
  const live = await subscribeOnBothTransports(signalbox, stream.devToken('ada'));
  expect(await revoke(signalbox, { issuer: 'development' })).toBe(2);
  await expectRevoked(live);
  expect(await refusalCodeOf(signalbox, stream.devToken('ben'))).toBe('TOKEN_REVOKED');
  expect(await refusalCodeOf(signalbox, stream.createToken('ada'))).toBe('open');
});

test('they are listed page by page, one for each that is named, the last one said', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await revoke(signalbox, { all: true }, clock.now() - 5000);
  for (const identity of ['ben', 'ada']) await revoke(signalbox, { identity }, clock.now() - 1000);
  await revoke(signalbox, { issuer: 'development' });
  await revoke(signalbox, { identity: 'ada' });
  const found: unknown[] = [];
  for (let after: string | null = null, pages = 0; pages < 2; pages++) {
    const { revocations }: any = await signalbox.request(
      `query ($after: String) { revocations(first: 2, after: $after) {
        nodes { scope identity issuer issuedBefore } pageInfo { hasNextPage endCursor }
      } }`,
      { after },
    );
    expect(revocations.pageInfo.hasNextPage).toBe(pages === 0);
    found.push(...revocations.nodes);
    after = revocations.pageInfo.endCursor;
  }
  const now = '2030-01-01T00:00:00.000Z';
  expect(found).toEqual([
    { scope: 'IDENTITY', identity: 'ada', issuer: null, issuedBefore: now },
    { scope: 'IDENTITY', identity: 'ben', issuer: null, issuedBefore: '2029-12-31T23:59:59.000Z' },
    { scope: 'ISSUER', identity: null, issuer: 'development', issuedBefore: now },
    { scope: 'PROJECT', identity: null, issuer: null, issuedBefore: '2029-12-31T23:59:55.000Z' },
  ]);
});

test.each<[string, object, string]>([
  ['no target', {}, 'identity'],
  ['two targets', { identity: 'ada', all: true }, 'identity'],
  ['three targets', { identity: 'ada', issuer: 'development', all: true }, 'identity'],
  ['a target that is not meant', { all: false }, 'identity'],
  ['a moment in the future', { all: true, before: '2030-01-01T00:00:00.001Z' }, 'issuedBefore'],
  ['an identity that nobody can have', { identity: '' }, 'identity'],
  ['an identity that is too long', { identity: 'a'.repeat(256) }, 'identity'],
  ['an issuer that nobody can be', { issuer: '' }, 'issuer'],
  ['an issuer that is too long', { issuer: 'a'.repeat(256) }, 'issuer'],
])('%s is refused', async (_, variables, field) => {
  await using signalbox = await startService({}, { clock: createManualClock() });
  const { credential } = await mint(signalbox, { identity: 'ada' });
  const answer = await signalbox.ask(REVOKE, variables);
  expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  if (field !== 'issuedBefore')
    expect(codeOf(await signalbox.ask(RESTORE, variables))).toBe('BAD_USER_INPUT');
  expect(await refusalCodeOf(signalbox, credential)).toBe('open');
  expect(await revocationsOf(signalbox)).toEqual([]);
});
