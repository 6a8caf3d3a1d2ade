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

/** Credentials of ada and ben, each signed by Stream, by an API key and by Signalbox. */
async function mintAll(signalbox: TestService, seconds: number) {
  const issuer = await createIssuer(signalbox, STREAM);
  const key = await createApiKey(signalbox);
  const credentials: Record<string, string> = {};
  for (const name of ['ada', 'ben']) {
    credentials[`${name} by Stream`] = stream.createToken(name, undefined, seconds);
    credentials[`${name} by a key`] = await sign(key, { sub: name, iat: seconds });
    credentials[`${name} by Signalbox`] = (await mint(signalbox, { identity: name })).credential;
  }
  return { issuer, key, credentials };
}

test.each<[string, (made: { issuer: string; key: { id: string } }) => RevocationTarget, string[]]>([
  ['an identity', () => ({ identity: 'ada' }), ['ada by Stream', 'ada by a key', 'ada by Signalbox']],
  ['an issuer', ({ issuer }) => ({ issuer }), ['ada by Stream', 'ben by Stream']],
  ['an API key that signs', ({ key }) => ({ issuer: key.id }), ['ada by a key', 'ben by a key']],
  [
    'an API key that mints',
    () => ({ issuer: signingKeyOf(API_KEY).id }),
    ['ada by Signalbox', 'ben by Signalbox'],
  ],
  [
    'the project',
    () => ({ all: true }),
    [
      'ada by Stream',
      'ada by a key',
      'ada by Signalbox',
      'ben by Stream',
      'ben by a key',
      'ben by Signalbox',
    ],
  ],
])(
  'revokeTokens closes the connections of %s and refuses their credentials on every transport, until restoreTokens',
  async (_, targetOf, revoked) => {
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

    expect(await revoke(signalbox, target)).toBe(2 * revoked.length);
    for (const [name, { id, events }] of live) {
      const isRevoked = revoked.includes(name);
      expect(await isOnline(signalbox, id)).toBe(!isRevoked);
      if (isRevoked) await expectRevoked(events);
      else expect(await sendDirect(signalbox, id, 'still-here')).toBe(2);
      expect(await refusalCodeOf(signalbox, made.credentials[name]!)).toBe(
        isRevoked ? 'TOKEN_REVOKED' : 'open',
      );
      const socket = queueResults(signalbox.client({ token: made.credentials[name]! }), EVENTS);
      if (isRevoked) expect(await socket.ended).toMatchObject({ code: 4403 });
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

test('revokeTokens of an API key covers all keys of its rotations, whichever key is named', async () => {
  await using signalbox = await startService();
  const original = await createApiKey(signalbox);
  const { rotateApiKey } = await signalbox.request(
    `mutation ($id: ID!) { rotateApiKey(id: $id) { secret } }`,
    { id: original.id },
  );
  const rotated = signingKeyOf(rotateApiKey.secret);
  const credentials = [await sign(original, { sub: 'ada' }), await sign(rotated, { sub: 'ben' })];
  for (const key of [original, rotated]) {
    for (const credential of credentials) expect(await refusalCodeOf(signalbox, credential)).toBe('open');
    await revoke(signalbox, { issuer: key.id });
    for (const credential of credentials)
      expect(await refusalCodeOf(signalbox, credential)).toBe('TOKEN_REVOKED');
    expect(await revocationsOf(signalbox)).toEqual([
      { scope: 'ISSUER', identity: null, issuer: original.id },
    ]);
    await restore(signalbox, { issuer: original.id });
  }
});

test('revokeTokens with the issuer “development” covers all development tokens', async () => {
  await using signalbox = await startService();
  await createIssuer(signalbox, STREAM);
  await signalbox.request(`mutation { updateProject(settings: { developmentTokens: true }) { id } }`);
  const live = await subscribeOnBothTransports(signalbox, stream.devToken('ada'));
  expect(await revoke(signalbox, { issuer: 'development' })).toBe(2);
  await expectRevoked(live);
  expect(await refusalCodeOf(signalbox, stream.devToken('ben'))).toBe('TOKEN_REVOKED');
  expect(await refusalCodeOf(signalbox, stream.createToken('ada'))).toBe('open');
});

test('lists one revocation per target, the latest, page by page', async () => {
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
  ['the target all: false', { all: false }, 'identity'],
  ['issuedBefore in the future', { all: true, before: '2030-01-01T00:00:00.001Z' }, 'issuedBefore'],
  ['an empty identity', { identity: '' }, 'identity'],
  ['an identity that is too long', { identity: 'a'.repeat(256) }, 'identity'],
  ['an empty issuer', { issuer: '' }, 'issuer'],
  ['an issuer that is too long', { issuer: 'a'.repeat(256) }, 'issuer'],
])('revokeTokens refuses %s', async (_, variables, field) => {
  await using signalbox = await startService({}, { clock: createManualClock() });
  const { credential } = await mint(signalbox, { identity: 'ada' });
  const { errors } = await signalbox.ask(REVOKE, variables);
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  if (field !== 'issuedBefore')
    expect(codeOf(await signalbox.ask(RESTORE, variables))).toBe('BAD_USER_INPUT');
  expect(await refusalCodeOf(signalbox, credential)).toBe('open');
  expect(await revocationsOf(signalbox)).toEqual([]);
});
