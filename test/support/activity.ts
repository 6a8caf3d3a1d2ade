import { createChannel, roundTrip } from './backend.ts';
import { queueResults } from './result-queue.ts';
import { startService, type ServiceClient, type TestService } from './service.ts';

/** Every field of an activity. */
export const ACTIVITY = `subscription ($kinds: [ActivityKind!], $channel: ID, $token: ID, $identity: String, $payloads: Boolean) {
  activity(kinds: $kinds, channel: $channel, token: $token, identity: $identity, payloads: $payloads) {
    at kind action actor subject channel token identity connection code reason sentence field address count message event data
  }
}`;

/** Subscribes to the activities of a project, with an API key, and queues them without the fields that are null. */
export async function followActivity(
  { client }: Pick<ServiceClient, 'client'>,
  filter: object = {},
  secret?: string,
) {
  const backend = client(secret === undefined ? undefined : { apiKey: secret });
  const results = queueResults(backend, ACTIVITY, { ...filter });
  await roundTrip(backend);
  return {
    ...results,
    next: async () => present((await results.next()).activity),
    /** The actions up to the sentinel `channel.update`. */
    async untilSentinel(signalbox: ServiceClient) {
      await signalbox.request('mutation { updateChannel(id: "lobby", input: {}) { id } }');
      const activities: any[] = [];
      for (;;) {
        const activity = present((await results.next()).activity);
        if (activity.action === 'channel.update') return activities;
        activities.push(activity);
      }
    },
  };
}

const present = (activity: object): any =>
  Object.fromEntries(Object.entries(activity).filter(([, value]) => value !== null));

/** Starts a service with the channel `lobby`. */
export async function openLobby(
  overrides: Parameters<typeof startService>[1] = {},
  config: Parameters<typeof startService>[0] = {},
): Promise<TestService> {
  const signalbox = await startService(config, overrides);
  await createChannel(signalbox, 'lobby');
  return signalbox;
}
