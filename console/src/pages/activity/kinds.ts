import { type ActivityKind } from '../../generated/operations.ts';

/** The kinds that can be chosen; SKIPPED always comes. ADMINISTRATION needs the scope ADMIN. */
export const KINDS: readonly ActivityKind[] = [
  'MESSAGE',
  'PRESENCE',
  'CONNECTION',
  'TOKEN',
  'MEMBERSHIP',
  'MODERATION',
  'REFUSAL',
  'CHANNEL',
  'ADMINISTRATION',
];
