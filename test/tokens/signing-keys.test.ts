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

/** Whether it opens anything; where it does not, it must be for want of a key. */
async function isOpen({ ask }: TestService, credential: string): Promise<boolean> {
  const { errors } = await ask('{ viewer { kind } }', {}, credential);
  if (errors) expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  return !errors;
}

test('what was signed with the old key opens until the overlap ends, what is signed with the new one goes on', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const old = await mint(signalbox);
  await rotate(signalbox, HOUR);
  const fresh = await mint(signalbox);
  using live = await connectSocket(signalbox, { token: old.credential });
  await clock.advance(HOUR * 1000 - 1);
  expect([await isOpen(signalbox, old.credential), await isOpen(signalbox, fresh.credential)]).toEqual([
    true,
    true,
  ]);
  await clock.advance(1);
  expect([await isOpen(signalbox, old.credential), await isOpen(signalbox, fresh.credential)]).toEqual([
    false,
    true,
  ]);

  // The token itself has not ended: neither has what it opened, and a new credential opens it again.
  live.send({ type: 'ping' });
  expect(await live.next()).toEqual({ type: 'pong' });
  const { createCredential } = await signalbox.request(
    'mutation ($t: ID!) { createCredential(token: $t) { credential } }',
    { t: old.id },
  );
  expect(await isOpen(signalbox, createCredential.credential)).toBe(true);
});

test('without an overlap what was signed before opens nothing from now on, not even by an earlier overlap', async () => {
  await using signalbox = await startService();
  const oldest = await mint(signalbox);
  await rotate(signalbox, HOUR);
  const old = await mint(signalbox);
  expect([await isOpen(signalbox, oldest.credential), await isOpen(signalbox, old.credential)]).toEqual([
    true,
    true,
  ]);
  await rotate(signalbox, 0);
  expect([await isOpen(signalbox, oldest.credential), await isOpen(signalbox, old.credential)]).toEqual([
    false,
    false,
  ]);
  expect(await isOpen(signalbox, (await mint(signalbox)).credential)).toBe(true);
});

test('a later rotation does not put off the end of an earlier overlap', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const oldest = await mint(signalbox);
  await rotate(signalbox, HOUR);
  await rotate(signalbox, 10 * HOUR);
  await clock.advance(HOUR * 1000);
  expect(await isOpen(signalbox, oldest.credential)).toBe(false);
});

test('keys and overlaps outlive a restart', async () => {
  using folder = createFolder();
  const clock = createManualClock();
  const minted: string[] = [];
  for (let run = 0; run < 3; run++) {
    await using signalbox = await startService({ data: folder.path }, { clock });
    for (const credential of minted) expect(await isOpen(signalbox, credential)).toBe(true);
    minted.push((await mint(signalbox)).credential);
    await rotate(signalbox, HOUR);
  }
  await clock.advance(HOUR * 1000);
  await using signalbox = await startService({ data: folder.path }, { clock });
  for (const credential of minted) expect(await isOpen(signalbox, credential)).toBe(false);
});

test.each([-1, 366 * 86_400 + 1])('an overlap of %i seconds is out of range', async (overlapSeconds) => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox);
  await expect(rotate(signalbox, overlapSeconds)).rejects.toThrow('overlapSeconds');
  expect(await isOpen(signalbox, credential)).toBe(true);
});

test('an API key is no credential, nor a credential an API key', async () => {
  await using signalbox = await startService();
  const token = await mint(signalbox);
  const presented = [{ token: API_KEY }, { apiKey: token.credential }, { apiKey: `key_${token.credential}` }];
  for (const payload of presented) {
    using socket = await openSocket(signalbox);
    socket.send({ type: 'connection_init', payload });
    expect((await socket.closed).code).toBe(4401);
  }
});

test.each(['Basic a2V5OnNlY3JldA==', 'Bearer', 'Bearer  ', 'Token x', 'Bearer a b', 'x'])(
  'an Authorization header of “%s” is refused, not taken for none',
  async (authorization) => {
    await using signalbox = await startService();
    const response = await fetch(`${signalbox.url}/graphql?query={viewer{kind}}`, {
      headers: { authorization },
    });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  },
);
