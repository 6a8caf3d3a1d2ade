import { type Tone } from '../../parts/Tag.tsx';

interface Ends {
  readonly revokedAt: string | null;
  readonly expiresAt: string | null;
  readonly isOnline: boolean;
}

/** The state of a token in one word. */
export function statusOf({ revokedAt, expiresAt, isOnline }: Ends): readonly [word: string, tone: Tone] {
  if (revokedAt !== null) return ['revoked', 'bad'];
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) return ['expired', 'warn'];
  return isOnline ? ['online', 'good'] : ['offline', 'plain'];
}
