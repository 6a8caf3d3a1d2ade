import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forge } from '../support/forge.ts';
import { startProvider } from '../support/provider.ts';
import { createIssuerFixture, type IssuerFixture } from './issuer-fixture.ts';
import { tryAuthenticate, REFUSED, ACCEPTED } from './authenticate.ts';

let fixture: IssuerFixture;
beforeAll(async () => {
  fixture = await createIssuerFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const authenticate = (credential: string) => tryAuthenticate(fixture.signalbox, credential);

test('the public key of a provider is not accepted as an HMAC secret, in any encoding', async () => {
  const key = createPublicKey({ key: fixture.publicJwk, format: 'jwk' });
  const pem = key.export({ type: 'spki', format: 'pem' }) as string;
  const der = key.export({ type: 'spki', format: 'der' });
  const payload = { iss: 'https://id.example/', aud: 'app', sub: 'ada', exp: fixture.now() + 60 };
  const secrets = [
    pem,
    pem.trim(),
    der,
    JSON.stringify(fixture.publicJwk),
    String(fixture.publicJwk['n']),
    '',
  ];
  for (const secret of secrets) {
    for (const kid of ['rsa', undefined]) {
      expect(await authenticate(forge({ alg: 'HS256', typ: 'JWT', kid }, payload, secret))).toEqual(REFUSED);
    }
  }
});

test('keys are fetched only from the configured provider, and at most twice, for any header and claims', async () => {
  await using attacker = await startProvider();
  attacker.publish([fixture.publicJwk]);
  const header = { jku: attacker.url, x5u: attacker.url, jwk: fixture.publicJwk, x5c: ['AAAA'] };
  expect(await authenticate(await fixture.signJwks({}, header))).toEqual(ACCEPTED);
  for (const kid of [
    '../rsa',
    '__proto__',
    'constructor',
    'RSA',
    '',
    ...Array.from({ length: 20 }, (_, i) => `x${i}`),
  ]) {
    // After the second fetch, the key may have been published since.
    expect([REFUSED, { code: 'UNAVAILABLE', close: 1013 }, { ...REFUSED, close: 1013 }]).toContainEqual(
      await authenticate(await fixture.signJwks({}, { ...header, kid })),
    );
  }
  for (const payload of [
    { iss: attacker.url },
    { iss: 'https://id.example' },
    { aud: 'other' },
    { exp: undefined },
  ]) {
    expect(await authenticate(await fixture.signJwks(payload, header))).toEqual(REFUSED);
  }
  expect(attacker.requestedPaths).toEqual([]);
  expect(fixture.provider.requestedPaths).toEqual(['/keys', '/keys']);
});
