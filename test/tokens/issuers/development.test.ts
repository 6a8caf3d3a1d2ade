import fc from 'fast-check';
import { StreamChat } from 'stream-chat';
import { expect, test } from 'vitest';
import { mintDevelopmentToken, readDevelopmentToken } from '../../../src/tokens/issuers/development.ts';
import { classifyCredential } from '../../../src/tokens/issuers/classify-credential.ts';
import { refusalOf } from '../../support/issuers.ts';

const stream = new StreamChat('key', 'secret');
const identity = fc.string({
  unit: fc.constantFrom(...Array.from('abcXYZ019_.@+|~-')),
  minLength: 1,
  maxLength: 255,
});

test('mints the same token as devToken() of stream-chat, and classifies it by its user_id', () => {
  fc.assert(
    fc.property(identity, (name) => {
      const credential = mintDevelopmentToken(name);
      expect(credential).toBe(stream.devToken(name));
      expect(classifyCredential(credential)).toEqual([{ kind: 'DEVELOPMENT', identity: name }]);
    }),
  );
});

test('reads the identity of a development token and no other claim', () => {
  expect(readDevelopmentToken({ identity: 'ann' })).toEqual({
    subject: 'ann',
    identity: 'ann',
    role: null,
    grants: null,
    connectionData: null,
    channels: [],
    issuedAt: null,
    expiresAt: null,
    isSingleCredential: false,
  });
});

test.each(['a b', 'a/b', 'Ann\n', 'x'.repeat(256), ''])(
  'refuses a development token for the identity “%s”',
  async (identity) => {
    expect(await refusalOf(() => readDevelopmentToken({ identity }))).toMatch('UNAUTHENTICATED');
  },
);
