import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { createOlderStoreError } from '../../src/tokens/older-store.ts';
import { createManualClock } from '../support/clock.ts';
import { startService } from '../support/service.ts';

const idAt = (now: number, prefix: 'sign' | 'key' = 'sign') =>
  createIds(
    () => now,
    (count) => new Uint8Array(count),
  )(prefix);

test('a key counts as one of an older store if its id is older than a store of less than 24 hours', async () => {
  const clock = createManualClock();
  const createdAt = clock.now();
  const olderStoreError = createOlderStoreError(createdAt, clock);
  const isRetryable = (keyId: string) => olderStoreError(keyId)?.retryable ?? false;
  expect(isRetryable(idAt(createdAt - 1))).toBe(true);
  expect(isRetryable(idAt(createdAt - 1, 'key'))).toBe(true);
  expect(isRetryable(idAt(createdAt))).toBe(false);
  expect(isRetryable(idAt(createdAt + 1))).toBe(false);
  for (const name of ['', 'sign_', 'backend', 'key_test', `${idAt(createdAt - 1)}0`])
    expect([name, isRetryable(name)]).toEqual([name, false]);
  await clock.advance(24 * 60 * 60 * 1000 + 1);
  expect(isRetryable(idAt(createdAt - 1))).toBe(false);
});

test('answers UNAVAILABLE to a credential that a backend signed with an API key of an older store', async () => {
  await using signalbox = await startService();
  const sign = (keyId: string) =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'HS256', kid: keyId })
      .setSubject('ada')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(new Uint8Array(32));
  const codeFor = async (keyId: string) => {
    const { errors } = await signalbox.ask('{ viewer { kind } }', {}, await sign(keyId));
    return errors?.[0]?.extensions['code'];
  };
  expect(await codeFor(idAt(Date.now() - 1000, 'key'))).toBe('UNAVAILABLE');
  expect(await codeFor(idAt(Date.now() + 1000, 'key'))).toBe('UNAUTHENTICATED');
  expect(await codeFor('key_other')).toBe('UNAUTHENTICATED');
});
