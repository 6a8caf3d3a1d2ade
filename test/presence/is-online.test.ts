import { expect, test } from 'vitest';
import { mint } from '../support/backend.ts';
import { API_KEY, startService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const BY_TOKEN = 'query ($of: ID) { isOnline(token: $of) }';
const BY_IDENTITY = 'query ($of: String) { isOnline(identity: $of) }';

test('isOnline answers for a token, and for an identity with several tokens', async () => {
  await using signalbox = await startService();
  const [phone, laptop] = [
    await mint(signalbox, { identity: 'ada' }),
    await mint(signalbox, { identity: 'ada' }),
  ];
  const isOnline = async (query: string, of: string, bearer?: string) =>
    (await signalbox.request(query, { of }, bearer)).isOnline;
  expect(await isOnline(BY_IDENTITY, 'ada')).toBe(false);
  using _socket = await connectSocket(signalbox, { token: laptop.credential });
  expect(await isOnline(BY_TOKEN, phone.id)).toBe(false);
  expect(await isOnline(BY_TOKEN, laptop.id)).toBe(true);
  expect(await isOnline(BY_IDENTITY, 'ada')).toBe(true);
  expect(await isOnline(BY_IDENTITY, 'ada', phone.credential)).toBe(true);
});

test('isOnline refuses an invalid argument with an error and never answers false', async () => {
  await using signalbox = await startService();
  const { id, credential } = await mint(signalbox, { identity: 'ada' });
  const other = await mint(signalbox, { identity: 'grace' });
  const codeOf = async (query: string, of: unknown, bearer?: string | null) => {
    const { errors = [], data } = await signalbox.ask(query, { of }, bearer);
    expect(data ?? null).toBeNull();
    expect(errors[0]?.message).not.toContain(credential.slice(-20));
    return errors[0]?.extensions['code'];
  };
  expect(await codeOf(BY_TOKEN, credential)).toBe('BAD_USER_INPUT');
  expect(await codeOf(BY_TOKEN, API_KEY)).toBe('BAD_USER_INPUT');
  expect(await codeOf(BY_TOKEN, 'T1==cGFydG5lcl9pZD0x')).toBe('BAD_USER_INPUT');
  expect(await codeOf(BY_TOKEN, `${id}x`)).toBe('NOT_FOUND');
  expect(await codeOf(BY_TOKEN, 'ada')).toBe('NOT_FOUND');
  expect(await codeOf(BY_IDENTITY, 'adda')).toBe('NOT_FOUND');
  expect(await codeOf(BY_IDENTITY, null)).toBe('BAD_USER_INPUT');
  expect(await codeOf('query ($of: ID) { isOnline(token: $of, identity: "ada") }', id)).toBe(
    'BAD_USER_INPUT',
  );
  // Ids and identities cannot be probed by a token or without a credential.
  expect(await codeOf(BY_TOKEN, `${id}x`, credential)).toBe('FORBIDDEN');
  expect(await codeOf(BY_IDENTITY, 'ada', other.credential)).toBe('FORBIDDEN');
  expect(await codeOf(BY_IDENTITY, 'nobody', other.credential)).toBe('FORBIDDEN');
  expect(await codeOf(BY_IDENTITY, 'ada', null)).toBe('UNAUTHENTICATED');
});
