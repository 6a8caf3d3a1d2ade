import { expect, test } from 'vitest';
import { forge } from '../../support/forge.ts';
import { INVALID_SIGNATURE, ISSUER, MINUTE, setUpJwksVerifier } from '../../support/jwks-verifier.ts';

const jwks = setUpJwksVerifier();

test('fetches the keys once for concurrent credentials, and again after ten minutes', async () => {
  const credential = await jwks.first.sign();
  await Promise.all(Array.from({ length: 20 }, () => jwks.present(credential)));
  await jwks.advance(10 * MINUTE - 1);
  await jwks.present(credential);
  expect(jwks.server.requestedPaths).toEqual(['/keys']);
  await jwks.advance(1);
  await jwks.present(credential);
  expect(jwks.server.requestedPaths).toHaveLength(2);
});

test('fetches early for a new key of the provider, and refuses the removed key then', async () => {
  await jwks.present(await jwks.first.sign());
  jwks.server.publish([jwks.second.jwk]);
  expect(await jwks.refusal(jwks.second.sign())).toBe('accepted');
  expect(jwks.server.requestedPaths).toHaveLength(2);
  await jwks.advance(30_000);
  expect(await jwks.refusal(jwks.first.sign())).toBe(INVALID_SIGNATURE);
});

test('throws UNAVAILABLE with the rest of the interval for a new key when the early fetch is used up', async () => {
  await jwks.present(await jwks.first.sign());
  expect(await jwks.refusal(jwks.first.sign({}, { kid: 'forged' }))).toBe(INVALID_SIGNATURE);
  expect(jwks.server.requestedPaths).toHaveLength(2);
  jwks.server.publish([jwks.second.jwk, jwks.first.jwk]);
  await jwks.advance(10_000);
  await expect(jwks.present(await jwks.second.sign())).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    fields: { retryAfterSeconds: 20 },
    message: expect.stringContaining('Try again in 20 seconds.'),
  });
  expect(await jwks.refusal(jwks.first.sign())).toBe('accepted');
  expect(jwks.server.requestedPaths).toHaveLength(2);
  await jwks.advance(20_000);
  expect(await jwks.refusal(jwks.second.sign())).toBe('accepted');
});

test('refuses a removed key after ten minutes at most', async () => {
  const credential = await jwks.first.sign();
  await jwks.present(credential);
  jwks.server.publish([]);
  await jwks.advance(10 * MINUTE - 1);
  expect(await jwks.refusal(credential)).toBe('accepted');
  await jwks.advance(1);
  expect(await jwks.refusal(credential)).toBe(INVALID_SIGNATURE);
});

test('fetches twice in 30 seconds when credentials name unknown keys', async () => {
  await jwks.present(await jwks.first.sign());
  const unknown = await Promise.all(
    Array.from({ length: 30 }, (_, index) => jwks.first.sign({}, { kid: `x${index}` })),
  );
  for (let round = 1; round <= 3; round++) {
    await jwks.advance(30_000);
    for (const [index, credential] of unknown.entries())
      expect(await jwks.refusal(credential)).toMatch(index < 2 ? INVALID_SIGNATURE : /^UNAVAILABLE/);
    await Promise.all(unknown.map((credential) => jwks.refusal(credential)));
    expect(jwks.server.requestedPaths).toHaveLength(1 + 2 * round);
  }
});

test('does not fetch for a credential that cannot be of this provider', async () => {
  await jwks.refusal(jwks.first.sign({ iss: 'https://evil.example/' }));
  await jwks.refusal(jwks.first.sign(), { algorithms: ['RS256'] });
  await jwks.refusal(forge({ alg: 'ES256', kid: 1 }, { iss: ISSUER }));
  await jwks.refusal('a.b.c');
  expect(jwks.server.requestedPaths).toEqual([]);
});

test('accepts a JWT without kid only when exactly one key matches', async () => {
  const credential = await jwks.first.sign({}, { kid: undefined });
  expect(await jwks.refusal(credential)).toBe('accepted');
  jwks.server.publish([jwks.first.jwk, jwks.second.jwk]);
  await jwks.advance(10 * MINUTE);
  expect(await jwks.refusal(credential)).toMatch('it does not say which key signed it');
});

test('caches a key set for each issuer, and drops the least recently used one beyond 1,000', async () => {
  const credential = await jwks.first.sign();
  const useOthers = async (count: number) => {
    for (let index = 0; index < count; index++) {
      await jwks.present(forge({ alg: 'ES256' }, {}), {}, `issuer_other_${index}`).catch(() => undefined);
    }
  };
  await jwks.present(credential);
  await useOthers(999);
  await jwks.present(credential);
  expect(jwks.server.requestedPaths).toHaveLength(1);
  await jwks.present(credential, {}, 'issuer_new');
  await jwks.present(credential);
  expect(jwks.server.requestedPaths).toHaveLength(2);
  await useOthers(1000);
  await jwks.present(credential);
  expect(jwks.server.requestedPaths).toHaveLength(3);
});
