export const RESTRICTION_KINDS = ['MUTE', 'BAN'] as const;
export type RestrictionKind = (typeof RESTRICTION_KINDS)[number];

/** The subject of a restriction: one token, or all tokens of an identity. */
export type RestrictedSubject = `token:${string}` | `identity:${string}`;

/** A mute or a ban of a token or an identity. A mute forbids PUBLISH, a ban forbids every action. */
export interface Restriction {
  id: string;
  projectId: string;
  kind: RestrictionKind;
  subject: RestrictedSubject;
  /** Null: all channels of the project. */
  channelId: string | null;
  /** The reason that the restricted client is shown. */
  reason: string | null;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** When the restriction lapses, in milliseconds since 1970; null: it holds until it is lifted. */
  until: number | null;
}

/** Whether the restriction applies in the channel. */
export function covers({ channelId }: Restriction, channel: string): boolean {
  return channelId === null || channelId === channel;
}

/** The subjects whose restrictions apply to a token: the token, and its identity if it has one. */
export function subjectsOf({ id, identity }: { id: string; identity: string | null }): RestrictedSubject[] {
  return identity === null ? [`token:${id}`] : [`token:${id}`, `identity:${identity}`];
}
