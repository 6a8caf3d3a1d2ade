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

test('ours are Stream’s to the letter, and read as who they name', () => {
  fc.assert(
    fc.property(identity, (name) => {
      const credential = mintDevelopmentToken(name);
      expect(credential).toBe(stream.devToken(name));
      expect(classifyCredential(credential)).toEqual({ kind: 'DEVELOPMENT', identity: name });
    }),
  );
});

test('it says who, and nothing else', () => {
  expect(readDevelopmentToken({ identity: 'ann' })).toEqual({
    subject: 'ann',
    identity: 'ann',
    role: null,
    grants: null,
    connectionData: null,
    channels: [],
    issuedAt: null,
    expiresAt: null,
    isOneCredential: false,
  });
});

test.each(['a b', 'a/b', 'Ann\n', 'x'.repeat(256), ''])('“%s” is the name of nobody', async (identity) => {
  expect(await refusalOf(() => readDevelopmentToken({ identity }))).toMatch('UNAUTHENTICATED');
});
