import { type Action, type GrantInput } from '../generated/operations.ts';

export const ACTIONS: readonly Action[] = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'];

/** A grant in a form. */
export interface GrantDraft {
  readonly channels: string;
  readonly actions: readonly Action[];
  /** When the grant expires; null or absent: it does not. */
  readonly expiresAt?: string | null;
}

/** The argument `grants` of a form; undefined without grants, which means that the role is not narrowed. */
export function grantsOf(drafts: readonly GrantDraft[]): GrantInput[] | undefined {
  if (drafts.length === 0) return undefined;
  return drafts.map(({ channels, actions, expiresAt }) => ({
    channels,
    actions: [...actions],
    ...(expiresAt != null && { expiresAt }),
  }));
}
