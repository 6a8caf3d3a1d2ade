export const RESTRICTION_KINDS = ['MUTE', 'BAN'] as const;
export type RestrictionKind = (typeof RESTRICTION_KINDS)[number];

/** Whom a restriction is about: one token, or all tokens of an identity. */
export type RestrictedSubject = `token:${string}` | `identity:${string}`;

/** What takes actions away from a token or an identity: a mute takes PUBLISH, a ban takes all. */
export interface Restriction {
  id: string;
  projectId: string;
  kind: RestrictionKind;
  subject: RestrictedSubject;
  /** Null: in all channels. */
  channelId: string | null;
  /** What the bearer is told of why. */
  reason: string | null;
  createdAt: number;
  /** Milliseconds since 1970 from which it holds no more; null: until it is lifted. */
  until: number | null;
}

export function covers({ channelId }: Restriction, channel: string): boolean {
  return channelId === null || channelId === channel;
}

/** The subjects under which restrictions of a token stand. */
export function subjectsOf({ id, identity }: { id: string; identity: string | null }): RestrictedSubject[] {
  return identity === null ? [`token:${id}`] : [`token:${id}`, `identity:${identity}`];
}
