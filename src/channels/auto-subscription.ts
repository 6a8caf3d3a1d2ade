import { type AutoSubscription } from '../tokens/provisioning.ts';
import { type Channels } from './channels.ts';
import { type Memberships } from './memberships.ts';

/** See Enrolment. */
export function createAutoSubscription({
  channels,
  memberships,
}: {
  channels: Pick<Channels, 'ensure'>;
  memberships: Pick<Memberships, 'firstPossibleOf' | 'enrol'>;
}): AutoSubscription {
  return {
    async initialMemberships(token, channelIds, makesChannels) {
      if (makesChannels) for (const id of channelIds) await channels.ensure(token.projectId, id, token.id);
      return memberships.firstPossibleOf(token, channelIds);
    },
    async subscribe(token, channelIds) {
      for (const id of channelIds) await memberships.enrol(token, id);
    },
  };
}
