import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forge } from '../support/forge.ts';
import { startProvider } from '../support/provider.ts';
import { openKinds, type Kinds } from './kinds.ts';
import { present, REFUSED, TAKEN } from './present.ts';

let kinds: Kinds;
beforeAll(async () => {
  kinds = await openKinds();
});
afterAll(() => kinds[Symbol.asyncDispose]());

const meet = (credential: string) => present(kinds.signalbox, credential);

test('a provider’s public key is no secret, whatever it is written as', async () => {
  const key = createPublicKey({ key: kinds.publicJwk, format: 'jwk' });
  const pem = key.export({ type: 'spki', format: 'pem' }) as string;
  const der = key.export({ type: 'spki', format: 'der' });
  const payload = { iss: 'https://id.example/', aud: 'app', sub: 'ada', exp: kinds.now() + 60 };
  const secrets = [pem, pem.trim(), der, JSON.stringify(kinds.publicJwk), String(kinds.publicJwk['n']), ''];
  for (const secret of secrets) {
    for (const kid of ['rsa', undefined]) {
      expect(await meet(forge({ alg: 'HS256', typ: 'JWT', kid }, payload, secret))).toEqual(REFUSED);
    }
  }
});

test('whatever a provider’s token is made to say, nobody is asked but the provider, and not in a loop', async () => {
  await using evil = await startProvider();
  evil.publish([kinds.publicJwk]);
  const header = { jku: evil.url, x5u: evil.url, jwk: kinds.publicJwk, x5c: ['AAAA'] };
  expect(await meet(await kinds.signJwks({}, header))).toEqual(TAKEN);
  for (const kid of [
    '../rsa',
    '__proto__',
    'constructor',
    'RSA',
    '',
    ...Array.from({ length: 20 }, (_, i) => `x${i}`),
  ]) {
    expect(await meet(await kinds.signJwks({}, { ...header, kid }))).toEqual(REFUSED);
  }
  for (const payload of [
    { iss: evil.url },
    { iss: 'https://id.example' },
    { aud: 'other' },
    { exp: undefined },
  ]) {
    expect(await meet(await kinds.signJwks(payload, header))).toEqual(REFUSED);
  }
  expect(evil.requestedPaths).toEqual([]);
  expect(kinds.provider.requestedPaths).toEqual(['/keys']);
});
