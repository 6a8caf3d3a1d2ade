import { type ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import { createProviders } from '../../../src/tokens/issuers/jwks.ts';
import { makeIssuer } from '../../support/issuers.ts';
import { HOUR, INVALID_SIGNATURE, MINUTE, setUpJwksVerifier, START } from '../../support/jwks-verifier.ts';
import { trustCertificate } from '../../support/provider.ts';

const jwks = setUpJwksVerifier();
const UNAVAILABLE = /^UNAVAILABLE/;
const startOutage = () => jwks.server.answer((_, response) => response.writeHead(503).end('{"keys":[]}'));

test('uses the last keys for 24 hours of an outage, without waiting for a fetch', async () => {
  const credential = await jwks.first.sign({ exp: jwks.seconds() + 90_000 });
  await jwks.present(credential);
  startOutage();
  await jwks.advance(10 * MINUTE);
  expect(await jwks.refusal(credential)).toBe('accepted');
  expect(jwks.failures).toEqual(['The response status was 503, not 200.']);

  // From here on the provider never answers, so waiting for a fetch would last until the time-out.
  const asked = new Promise<ServerResponse>((resolve) =>
    jwks.server.answer((_, response) => resolve(response)),
  );
  await jwks.advance(4999);
  expect(await jwks.refusal(credential)).toBe('accepted');
  expect(jwks.server.requestedPaths).toHaveLength(2);
  await jwks.advance(1);
  expect(await jwks.refusal(credential)).toBe('accepted');
  const response = await asked;
  expect(await jwks.refusal(credential)).toBe('accepted');
  expect(jwks.failures).toHaveLength(1);
  response.destroy();
  await expect.poll(() => jwks.failures).toHaveLength(2);

  startOutage();
  await jwks.advance(24 * HOUR - 10 * MINUTE - 5001);
  expect(await jwks.refusal(credential)).toBe('accepted');
  await expect.poll(() => jwks.failures).toHaveLength(3);
  await jwks.advance(1);
  expect(await jwks.refusal(credential)).toMatch(UNAVAILABLE);
  jwks.server.publish([jwks.first.jwk]);
  expect(await jwks.refusal(credential)).toMatch(UNAVAILABLE);
  await jwks.advance(5000);
  expect(await jwks.refusal(credential)).toBe('accepted');
  // The outage is over, so verification waits for a fetch that is due.
  jwks.server.publish([]);
  await jwks.advance(10 * MINUTE);
  expect(await jwks.refusal(credential)).toBe(INVALID_SIGNATURE);
});

test('throws UNAVAILABLE for an unknown key during an outage, and fetches every five seconds at most', async () => {
  await jwks.present(await jwks.first.sign());
  startOutage();
  await jwks.advance(MINUTE);
  const byNewKey = await jwks.second.sign();
  for (let round = 0; round < 10; round++) expect(await jwks.refusal(byNewKey)).toMatch(UNAVAILABLE);
  expect(jwks.server.requestedPaths).toHaveLength(2);
  expect(await jwks.refusal(jwks.first.sign())).toBe('accepted');
  await jwks.advance(5000);
  jwks.server.publish([jwks.first.jwk, jwks.second.jwk]);
  expect(await jwks.refusal(byNewKey)).toBe('accepted');
});

/** Sets the system clock back by an hour. No time elapses. */
function setClockBack(): void {
  jwks.clock.jump(-HOUR);
  vi.setSystemTime(Date.now() - HOUR);
}

test('a clock that is set back prolongs no pause after a failed fetch', async () => {
  startOutage();
  expect(await jwks.refusal(jwks.first.sign())).toMatch(UNAVAILABLE);
  setClockBack();
  jwks.server.publish([jwks.first.jwk]);
  await jwks.advance(5000);
  expect(await jwks.refusal(jwks.first.sign())).toBe('accepted');
});

test('a clock that is set back prolongs neither the age of the keys nor the wait for a new key', async () => {
  await jwks.present(await jwks.first.sign());
  expect(await jwks.refusal(jwks.second.sign())).toBe(INVALID_SIGNATURE);
  setClockBack();
  jwks.server.publish([jwks.second.jwk]);
  await jwks.advance(30_000);
  expect(await jwks.refusal(jwks.second.sign())).toBe('accepted');
  setClockBack();
  jwks.server.publish([]);
  await jwks.advance(10 * MINUTE);
  expect(await jwks.refusal(jwks.second.sign())).toBe(INVALID_SIGNATURE);
});

test('throws UNAVAILABLE with retryAfterSeconds when no keys were ever fetched', async () => {
  startOutage();
  const credential = await jwks.first.sign();
  for (let round = 1; round <= 3; round++) {
    for (let turn = 0; turn < 10; turn++) expect(await jwks.refusal(credential)).toMatch(UNAVAILABLE);
    expect(jwks.server.requestedPaths).toHaveLength(round);
    await jwks.advance(5000);
  }
  const error: any = await jwks.present(credential).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true, fields: { retryAfterSeconds: 5 } });
});

const KEY_LIST = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ kty: 'EC', kid: `k${index}` }));
const json = (body: unknown, status = 200) => [status, {}, JSON.stringify(body)] as const;

test.each<[string, readonly [number, Record<string, string>, string], RegExp]>([
  ['too many keys', json({ keys: KEY_LIST(101) }), /more than 100 keys/],
  ['too many bytes', json({ keys: [], pad: 'x'.repeat(256 * 1024) }), /larger than 262144 bytes/],
  ['a body that is not JSON', [200, {}, '<html>'], /JSON/],
  ['no keys', json({}), /not a JSON Web Key Set/],
  ['keys that are an object', json({ keys: { length: 0 } }), /not a JSON Web Key Set/],
  ['a key that is null', json({ keys: [null] }), /not a JSON Web Key Set/],
  ['null', json(null), /not a JSON Web Key Set/],
  ['the status 203', json({ keys: [] }, 203), /was 203/],
])('throws UNAVAILABLE when the provider answers with %s', async (_, [status, headers, body], reason) => {
  jwks.server.answer((_, response) => response.writeHead(status, headers).end(body));
  expect(await jwks.refusal(jwks.first.sign())).toMatch(UNAVAILABLE);
  expect(jwks.failures).toEqual([expect.stringMatching(reason)]);
});

test('accepts a key set of 100 keys and 256 KiB', async () => {
  jwks.server.answer((_, response) => {
    const text = JSON.stringify({ keys: [jwks.first.jwk, ...KEY_LIST(99)] });
    response.end(text.padEnd(256 * 1024));
  });
  expect(await jwks.refusal(jwks.first.sign())).toBe('accepted');
});

test('stops reading a response without end at 256 KiB', async () => {
  const closed = new Promise<void>((resolve) =>
    jwks.server.answer((_, response) => {
      const fill = () => {
        while (response.write(' '.repeat(65_536)));
      };
      response.on('drain', fill).on('close', resolve);
      fill();
    }),
  );
  expect(await jwks.refusal(jwks.first.sign())).toMatch(UNAVAILABLE);
  expect(jwks.failures).toEqual([expect.stringMatching(/larger/)]);
  await closed;
});

test('closes the connection without reading the body when the status is not 200', async () => {
  // Longer than the test, so that the time-out does not close the connection.
  jwks.verifier = createProviders({ clock: jwks.clock, allowsPrivateAddress: true, timeoutMs: 600_000 });
  const closed = new Promise<void>((resolve) =>
    jwks.server.answer((_, response) => response.on('close', resolve).writeHead(500).write('…')),
  );
  expect(await jwks.refusal(jwks.first.sign())).toMatch(UNAVAILABLE);
  await closed;
});

test('does not follow a redirect', async () => {
  jwks.server.answer((request, response) => {
    if (request.url === '/keys') response.writeHead(302, { location: '/other' }).end();
    else response.end(JSON.stringify({ keys: [jwks.first.jwk] }));
  });
  expect(await jwks.refusal(jwks.first.sign())).toMatch(UNAVAILABLE);
  expect(jwks.server.requestedPaths).toEqual(['/keys']);
  expect(jwks.failures).toEqual(['The response status was 302, not 200.']);
});

test.each<[string, (response: any) => void]>([
  ['does not answer', () => undefined],
  ['stops in the middle of the response', (response) => response.write('{"keys":')],
])('throws UNAVAILABLE after the time-out when the provider %s', async (_, answer) => {
  jwks.verifier = createProviders({
    clock: jwks.clock,
    allowsPrivateAddress: true,
    timeoutMs: 100,
    onFetchFailed: (url) => jwks.failures.push(url),
  });
  const closed = new Promise<void>((resolve) =>
    jwks.server.answer((_, response) => {
      response.on('close', resolve);
      answer(response);
    }),
  );
  expect(await jwks.refusal(jwks.first.sign())).toMatch(UNAVAILABLE);
  expect(jwks.failures).toEqual([jwks.server.url]);
  await closed;
});

test('throws UNAVAILABLE when the provider closes the connection in the middle of the response', async () => {
  jwks.server.answer((_, response) => response.write('{"keys":[', () => jwks.server.reset()));
  expect(await jwks.refusal(jwks.first.sign())).toMatch(UNAVAILABLE);
  await jwks.advance(5000);
  jwks.server.answer((_, response) => response.write('{"keys":[', () => response.destroy()));
  expect(await jwks.refusal(jwks.first.sign())).toMatch(UNAVAILABLE);
});

test('throws UNAVAILABLE when the certificate of the provider is not trusted', async () => {
  jwks.trust[Symbol.dispose]();
  expect(await jwks.refusal(jwks.first.sign())).toMatch(UNAVAILABLE);
  expect(jwks.server.requestedPaths).toEqual([]);
  jwks.trust = trustCertificate();
});

test('throws UNAVAILABLE, not UNAUTHENTICATED, when the key of the provider is malformed', async () => {
  jwks.server.publish([{ ...jwks.first.jwk, x: 'AAAA' }]);
  expect(await jwks.refusal(jwks.first.sign())).toMatch(UNAVAILABLE);
});

test('throws a TypeError when the URL of the key set is not https', async () => {
  const credential = await jwks.first.sign();
  for (const url of [jwks.server.url.replace('https', 'http'), 'file:///etc/passwd', 'data:,{}', 'keys']) {
    await expect(jwks.present(credential, { url })).rejects.toThrow(TypeError);
  }
  const withoutProvider = jwks.verifier.verify(credential, makeIssuer('JWKS'), { now: START, maxGrants: 1 });
  await expect(withoutProvider).rejects.toThrow(TypeError);
});
