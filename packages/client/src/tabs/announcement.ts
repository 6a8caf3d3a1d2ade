/**
 * What members tell each other on the channel of their group. `attach`: a member looks for a leader; `here`: the answer of
 * the leader; `lead`: there is a new leader.
 */
export type Announcement =
  | { readonly type: 'attach'; readonly member: string }
  | { readonly type: 'here'; readonly member: string; readonly leader: string }
  | { readonly type: 'lead'; readonly leader: string };

/** The lock that a member holds as long as it lives. */
export const lockOf = (group: string, member: string) => `${group}:${member}`;

/** The channel between a leader and one follower: what a leader sends to one tab does not wake up the others. */
export const pipeOf = (group: string, leader: string, follower: string) => `${group}:${leader}:${follower}`;
