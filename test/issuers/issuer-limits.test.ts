import { expect, test } from 'vitest';
import { createManualClock } from '../support/clock.ts';
import {
  ADD_KEY,
  CREATE_ISSUER,
  errorOf,
  JWKS,
  listIssuers,
  REMOVE_KEY,
} from '../support/issuer-management.ts';
import { createIssuer, OPENTOK, STREAM, TWILIO } from '../support/external-credentials.ts';
import { startService } from '../support/service.ts';

test('refuses the 51st issuer of a project with LIMIT_EXCEEDED', async () => {
  await using signalbox = await startService();
  const input = (n: number) => ({ ...OPENTOK, key: { id: `k${n}`, secret: 's' } });
  for (let n = 0; n < 50; n++) await createIssuer(signalbox, input(n));
  expect(await errorOf(signalbox, CREATE_ISSUER, { input: input(50) })).toEqual({
    code: 'LIMIT_EXCEEDED',
    limit: 50,
  });
  expect(await listIssuers(signalbox)).toHaveLength(50);
});

test('refuses the 21st active key of an issuer with LIMIT_EXCEEDED, until a key expires', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const i = await createIssuer(signalbox, { ...OPENTOK, key: { id: 'k0', secret: 's' } });
  const key = (n: number) => ({ i, key: { id: `k${n}`, secret: 's' } });
  for (let n = 1; n < 20; n++) await signalbox.request(ADD_KEY, key(n));
  expect(await errorOf(signalbox, ADD_KEY, key(20))).toEqual({ code: 'LIMIT_EXCEEDED', limit: 20 });
  await signalbox.request(REMOVE_KEY, { i, k: 'k0', s: 60 });
  await clock.advance(60_000 - 1);
  expect(await errorOf(signalbox, ADD_KEY, key(20))).toEqual({ code: 'LIMIT_EXCEEDED', limit: 20 });
  await clock.advance(1);
  // The id of the expired key is free again, too.
  expect((await signalbox.request(ADD_KEY, key(0))).addIssuerKey.keys).toHaveLength(20);
});

test.each([
  ['SIGNALBOX', 31, 'input.key.secret'],
  ['SIGNALBOX', 32, undefined],
  ['SIGNALBOX', 1024, undefined],
  ['SIGNALBOX', 1025, 'input.key.secret'],
  ['STREAM', 0, 'input.key.secret'],
  ['STREAM', 1, undefined],
  ['STREAM', 1025, 'input.key.secret'],
])('a %s secret of %i bytes is refused in: %s', async (kind, size, field) => {
  await using signalbox = await startService();
  // The limit is in bytes, not in characters.
  const secret = 'é'.repeat(Math.floor(size / 2)) + 'e'.repeat(size % 2);
  const error = await errorOf(signalbox, CREATE_ISSUER, { input: { kind, key: { id: 'one', secret } } });
  expect(error).toEqual(field === undefined ? 'none' : { code: 'BAD_USER_INPUT', field });
});

const OWN = { kind: 'SIGNALBOX', key: { id: 'mine', secret: 'a secret that has 32 bytes or more' } };
test.each<[string, object, string]>([
  ['no key', { kind: 'STREAM' }, 'input.key'],
  ['a key for JWKS', { ...JWKS, key: STREAM.key }, 'input.key'],
  ['a provider for STREAM', { ...STREAM, provider: JWKS.provider }, 'input.provider'],
  ['no provider for JWKS', { kind: 'JWKS' }, 'input.provider'],
  ['no account for TWILIO', { ...TWILIO, account: undefined }, 'input.account'],
  ['an empty account', { ...TWILIO, account: '' }, 'input.account'],
  ['an account for STREAM', { ...STREAM, account: 'AC' }, 'input.account'],
  ['a service for STREAM', { ...STREAM, service: 'IS' }, 'input.service'],
  ['a service of 256 characters', { ...TWILIO, service: 'I'.repeat(256) }, 'input.service'],
  ['a name of 1,001 characters', { ...STREAM, name: 'x'.repeat(1001) }, 'input.name'],
  ['a key with an empty id', { ...OWN, key: { ...OWN.key, id: '' } }, 'input.key.id'],
  ['a key id of 256 characters', { ...OWN, key: { ...OWN.key, id: 'x'.repeat(256) } }, 'input.key.id'],
  ['a key id with the prefix of API keys', { ...OWN, key: { ...OWN.key, id: 'key_test' } }, 'input.key.id'],
  [
    'a provider URL without https',
    { ...JWKS, provider: { ...JWKS.provider, url: 'http://login.example' } },
    'input.provider.url',
  ],
  [
    'a provider issuer without https',
    { ...JWKS, provider: { ...JWKS.provider, issuer: 'login.example' } },
    'input.provider.issuer',
  ],
  [
    'an empty list of algorithms',
    { ...JWKS, provider: { ...JWKS.provider, algorithms: [] } },
    'input.provider.algorithms',
  ],
  [
    'an empty claim name',
    { ...JWKS, provider: { ...JWKS.provider, claims: { role: '' } } },
    'input.provider.claims.role',
  ],
])('createIssuer refuses %s and names the field', async (_, input, field) => {
  await using signalbox = await startService();
  expect(await errorOf(signalbox, CREATE_ISSUER, { input })).toEqual({ code: 'BAD_USER_INPUT', field });
  expect(await listIssuers(signalbox)).toEqual([]);
});
