import { type AutoSubscription } from '../tokens/provisioning.ts';
import { type Channels } from './channels.ts';
import { type Memberships } from './memberships.ts';

/** See AutoSubscription. */
export function createAutoSubscription({
  channels,
  memberships,
}: {
  channels: Pick<Channels, 'ensure'>;
  memberships: Pick<Memberships, 'prepareAllowed' | 'subscribeIfAllowed' | 'forgetSuperseded'>;
}): AutoSubscription {
  return {
    async prepare(token, channelIds, createsChannels) {
      if (createsChannels) for (const id of channelIds) await channels.ensure(token.projectId, id, token.id);
      return memberships.prepareAllowed(token, channelIds);
    },
    async subscribe(token, channelIds) {
      for (const id of channelIds) await memberships.subscribeIfAllowed(token, id);
    },
    forgetSuperseded: memberships.forgetSuperseded,
  };
}
