import { expect, test } from 'vitest';
import { mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createFolder } from '../support/folder.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';
import { connectSocket, openSocket } from '../support/socket.ts';

const HOUR = 3600;

async function rotate({ request }: TestService, overlapSeconds: number): Promise<void> {
  await request('mutation ($s: Int!) { rotateSigningKey(overlapSeconds: $s) }', { s: overlapSeconds });
}

/** Whether the service accepts the credential. Expects UNAUTHENTICATED when it does not. */
async function isAccepted({ ask }: TestService, credential: string): Promise<boolean> {
  const { errors } = await ask('{ viewer { kind } }', {}, credential);
  if (errors) expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  return !errors;
}

test('accepts credentials of the old signing key until the overlap ends, and those of the new key after it', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const old = await mint(signalbox);
  await rotate(signalbox, HOUR);
  const fresh = await mint(signalbox);
  using live = await connectSocket(signalbox, { token: old.credential });
  await clock.advance(HOUR * 1000 - 1);
  expect([
    await isAccepted(signalbox, old.credential),
    await isAccepted(signalbox, fresh.credential),
  ]).toEqual([true, true]);
  await clock.advance(1);
  expect([
    await isAccepted(signalbox, old.credential),
    await isAccepted(signalbox, fresh.credential),
  ]).toEqual([false, true]);

  // The token is still active: its live socket stays open, and a new credential is accepted.
  live.send({ type: 'ping' });
  expect(await live.next()).toEqual({ type: 'pong' });
  const { createCredential } = await signalbox.request(
    'mutation ($t: ID!) { createCredential(token: $t) { credential } }',
    { t: old.id },
  );
  expect(await isAccepted(signalbox, createCredential.credential)).toBe(true);
});

test('refuses all older credentials when the signing key rotates with an overlap of 0, even during an earlier overlap', async () => {
  await using signalbox = await startService();
  const oldest = await mint(signalbox);
  await rotate(signalbox, HOUR);
  const old = await mint(signalbox);
  expect([
    await isAccepted(signalbox, oldest.credential),
    await isAccepted(signalbox, old.credential),
  ]).toEqual([true, true]);
  await rotate(signalbox, 0);
  expect([
    await isAccepted(signalbox, oldest.credential),
    await isAccepted(signalbox, old.credential),
  ]).toEqual([false, false]);
  expect(await isAccepted(signalbox, (await mint(signalbox)).credential)).toBe(true);
});

test('a later rotation does not extend an earlier overlap', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const oldest = await mint(signalbox);
  await rotate(signalbox, HOUR);
  await rotate(signalbox, 10 * HOUR);
  await clock.advance(HOUR * 1000);
  expect(await isAccepted(signalbox, oldest.credential)).toBe(false);
});

test('signing keys and overlaps persist when the service restarts', async () => {
  using folder = createFolder();
  const clock = createManualClock();
  const minted: string[] = [];
  for (let start = 0; start < 3; start++) {
    await using signalbox = await startService({ data: folder.path }, { clock });
    for (const credential of minted) expect(await isAccepted(signalbox, credential)).toBe(true);
    minted.push((await mint(signalbox)).credential);
    await rotate(signalbox, HOUR);
  }
  await clock.advance(HOUR * 1000);
  await using signalbox = await startService({ data: folder.path }, { clock });
  for (const credential of minted) expect(await isAccepted(signalbox, credential)).toBe(false);
});

test.each([-1, 366 * 86_400 + 1])(
  'rotateSigningKey refuses an overlap of %i seconds',
  async (overlapSeconds) => {
    await using signalbox = await startService();
    const { credential } = await mint(signalbox);
    await expect(rotate(signalbox, overlapSeconds)).rejects.toThrow('overlapSeconds');
    expect(await isAccepted(signalbox, credential)).toBe(true);
  },
);

test('connection_init refuses an API key as the token, and a credential as the API key', async () => {
  await using signalbox = await startService();
  const token = await mint(signalbox);
  const payloads = [{ token: API_KEY }, { apiKey: token.credential }, { apiKey: `key_${token.credential}` }];
  for (const payload of payloads) {
    using socket = await openSocket(signalbox);
    socket.send({ type: 'connection_init', payload });
    expect((await socket.closed).code).toBe(4401);
  }
});

test.each(['Basic a2V5OnNlY3JldA==', 'Bearer', 'Bearer  ', 'Token x', 'Bearer a b', 'x'])(
  'refuses the malformed Authorization header “%s” instead of treating the caller as anonymous',
  async (authorization) => {
    await using signalbox = await startService();
    const response = await fetch(`${signalbox.url}/graphql?query={viewer{kind}}`, {
      headers: { authorization },
    });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  },
);
