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

test('a project has at most fifty issuers', async () => {
  await using signalbox = await startService();
  const input = (n: number) => ({ ...OPENTOK, key: { id: `k${n}`, secret: 's' } });
  for (let n = 0; n < 50; n++) await createIssuer(signalbox, input(n));
  expect(await errorOf(signalbox, CREATE_ISSUER, { input: input(50) })).toEqual({
    code: 'LIMIT_EXCEEDED',
    limit: 50,
  });
  expect(await listIssuers(signalbox)).toHaveLength(50);
});

test('an issuer has at most twenty keys that verify; those that have ended make room', async () => {
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
  // Its name is free again, too.
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
])('a %s secret of %i bytes: %s', async (kind, size, field) => {
  await using signalbox = await startService();
  // Bytes count, not characters.
  const secret = 'é'.repeat(Math.floor(size / 2)) + 'e'.repeat(size % 2);
  const fault = await errorOf(signalbox, CREATE_ISSUER, { input: { kind, key: { id: 'one', secret } } });
  expect(fault).toEqual(field === undefined ? 'none' : { code: 'BAD_USER_INPUT', field });
});

const OWN = { kind: 'SIGNALBOX', key: { id: 'mine', secret: 'a secret that has 32 bytes or more' } };
test.each<[string, object, string]>([
  ['no key', { kind: 'STREAM' }, 'input.key'],
  ['a key where keys are fetched', { ...JWKS, key: STREAM.key }, 'input.key'],
  ['a provider where there is none', { ...STREAM, provider: JWKS.provider }, 'input.provider'],
  ['no provider', { kind: 'JWKS' }, 'input.provider'],
  ['no account', { ...TWILIO, account: undefined }, 'input.account'],
  ['an empty account', { ...TWILIO, account: '' }, 'input.account'],
  ['an account of somebody who has none', { ...STREAM, account: 'AC' }, 'input.account'],
  ['a service of somebody who has none', { ...STREAM, service: 'IS' }, 'input.service'],
  ['a service that is too long', { ...TWILIO, service: 'I'.repeat(256) }, 'input.service'],
  ['a name that is too long', { ...STREAM, name: 'x'.repeat(1001) }, 'input.name'],
  ['a key without an id', { ...OWN, key: { ...OWN.key, id: '' } }, 'input.key.id'],
  ['a key with a long id', { ...OWN, key: { ...OWN.key, id: 'x'.repeat(256) } }, 'input.key.id'],
  ['a key with the id of an API key', { ...OWN, key: { ...OWN.key, id: 'key_test' } }, 'input.key.id'],
  [
    'an address without TLS',
    { ...JWKS, provider: { ...JWKS.provider, url: 'http://login.example' } },
    'input.provider.url',
  ],
  [
    'an issuer without TLS',
    { ...JWKS, provider: { ...JWKS.provider, issuer: 'login.example' } },
    'input.provider.issuer',
  ],
  ['no algorithms', { ...JWKS, provider: { ...JWKS.provider, algorithms: [] } }, 'input.provider.algorithms'],
  [
    'an empty claim',
    { ...JWKS, provider: { ...JWKS.provider, claims: { role: '' } } },
    'input.provider.claims.role',
  ],
])('%s is refused by name', async (_, input, field) => {
  await using signalbox = await startService();
  expect(await errorOf(signalbox, CREATE_ISSUER, { input })).toEqual({ code: 'BAD_USER_INPUT', field });
  expect(await listIssuers(signalbox)).toEqual([]);
});
