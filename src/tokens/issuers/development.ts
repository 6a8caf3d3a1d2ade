import { identityOf } from './claim-values.ts';
import { decodeAnyBase64 } from './base64.ts';
import { type Claims } from './claims.ts';
import { parseObject } from './jwt.ts';
import { refused } from '../credential-errors.ts';

const HEADER = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9';
const SIGNATURE = 'devtoken';

/** An unsigned token of Stream's own layout, in padded standard base64. Whoever knows the layout can make one. */
export function mintDevelopmentToken(identity: string): string {
  const payload = Buffer.from(JSON.stringify({ user_id: identity })).toString('base64');
  return `${HEADER}.${payload}.${SIGNATURE}`;
}

/** Whom a development token names; null: it is none. */
export function identityOfDevelopmentToken(credential: string): string | null {
  const [header, middle = '', signature, ...more] = credential.split('.', 4);
  if (header !== HEADER || signature !== SIGNATURE || more.length > 0) return null;
  const bytes = decodeAnyBase64(middle);
  const payload = bytes ? parseObject(bytes) : {};
  const { user_id: identity } = payload;
  if (Object.keys(payload).length !== 1 || typeof identity !== 'string' || identity === '') {
    throw refused('a development token names a “user_id” and nothing else');
  }
  return identity;
}

/** What a development token says: who, and nothing that anybody vouches for. */
export function readDevelopmentToken(facts: { identity: string }): Claims {
  const identity = identityOf(facts.identity, 'user_id');
  return {
    subject: identity,
    identity,
    role: null,
    grants: null,
    connectionData: null,
    channels: [],
    issuedAt: null,
    expiresAt: null,
    isOneCredential: false,
  };
}
