import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Outcome } from '../job.ts';
import { Backend, type MintedToken } from '../load/backend.ts';
import { operationOf } from '../load/fixture.ts';
import { startMeter, untilIdle } from '../load/meter.ts';
import { PUBLISH_MESSAGE, SUBSCRIBE_EVENTS } from '../load/protocols/graphql.ts';
import { longestTurnOf, type LongestTurn } from '../load/server-lag.ts';
import { SubscriberGroup } from '../load/subscriber-group.ts';

/** Longer than the purge interval that the catalogue sets for this scenario. */
const PURGE_STARTS_WITHIN_MS = 600;

const MAX_PAIRS = 1000;
const MAX_MESSAGES = 100;
/** Messages per channel of a purge. */
const MESSAGES_PER_CHANNEL = 10_000;
const PUBLISHES_AT_ONCE = 256;

const SUBSCRIBE_TOKENS = pairsMutation('subscribeTokens');
const UNSUBSCRIBE_TOKENS = pairsMutation('unsubscribeTokens');
const PUBLISH_MESSAGES =
  'mutation ($messages: [PublishMessageInput!]!) { publishMessages(messages: $messages) { error { code } } }';
const UPDATE_PROJECT = 'mutation { updateProject(settings: { guests: true }) { id } }';
const MAKE_PRIVATE = 'mutation { updateChannel(id: "lobby", input: { type: PRIVATE }) { id } }';
const DELETE_CHANNEL = 'mutation ($id: ID!) { deleteChannel(id: $id) { id } }';
const KEEP_NOTHING =
  'mutation ($id: ID!) { updateChannel(id: $id, input: { history: { messages: 0 } }) { id } }';
const LIST_OFFLINE = 'query { tokens(first: 100, online: false) { edges { node { id } } } }';
const LIST_ONLINE =
  'query { tokens(first: 100, online: true, identity: "absent") { edges { node { id } } } }';
const IS_ONLINE = 'query { isOnline(identity: "offline") }';
const DISCONNECT = 'mutation { disconnect(identity: "offline") }';
const REVOKE_ALL = 'mutation { revokeTokens(all: true) { connections } }';

/**
 * Calls and jobs that do much at once, each on its own: the longest turn of the server's event loop during each, the pauses of
 * the garbage collector, and the CPU time of a purge per message. The connections all have an `events` subscription, and all are members of one channel.
 */
export async function stalls({ endpoint, workload }: Job): Promise<Outcome> {
  using backend = await Backend.open(endpoint);
  const longest = (work: () => Promise<unknown>) => longestTurnOf(endpoint, work);
  const request = (query: string, variables?: Readonly<Record<string, unknown>>) => () =>
    backend.request(query, variables);
  await backend.createChannels(['lobby', 'pairs']);
  const tokens = await backend.mintTokens(workload.stallConnections, { channels: ['lobby'] });
  await mintOffline(backend, workload.stallTokens - tokens.length);
  using group = new SubscriberGroup();
  group.onSubscriberClosed = () => undefined;
  await group.connect(endpoint, tokens.length, (index) => eventsSpec(endpoint, tokens[index]!));
  await untilIdle(endpoint.pid);
  const pairs = { channels: ['pairs'], tokens: tokens.slice(0, MAX_PAIRS).map(({ id }) => id) };

  const turns: Record<string, LongestTurn> = {
    subscribeTokens: await longest(request(SUBSCRIBE_TOKENS, pairs)),
    unsubscribeTokens: await longest(request(UNSUBSCRIBE_TOKENS, pairs)),
    updateProject: await longest(request(UPDATE_PROJECT)),
    listOffline: await longest(request(LIST_OFFLINE)),
    listOnline: await longest(request(LIST_ONLINE)),
    isOnline: await longest(request(IS_ONLINE)),
    disconnect: await longest(request(DISCONNECT)),
    updateChannel: await longest(request(MAKE_PRIVATE)),
    publishMessage: await longest(request(PUBLISH_MESSAGE, messageTo('lobby'))),
    // Alternating channels, so that each message is delivered on its own.
    publishMessages: await longest(
      request(PUBLISH_MESSAGES, {
        messages: Array.from({ length: MAX_MESSAGES }, (_, index) =>
          messageTo(index % 2 === 0 ? 'lobby' : 'pairs'),
        ),
      }),
    ),
    deleteChannel: await longest(request(DELETE_CHANNEL, { id: 'lobby' })),
    revokeTokens: await longest(request(REVOKE_ALL)),
  };
  const { purgeCpuUs, ...purged } = await purge(endpoint, backend, workload.purgedMessages);
  Object.assign(turns, purged);
  const valuesOf = (key: keyof LongestTurn) =>
    Object.fromEntries(Object.entries(turns).map(([name, turn]) => [`${name}Ms`, turn[key]]));
  const longestMs = Math.max(...Object.values(turns).map(({ turnMs }) => turnMs));
  return {
    stalls: { values: { ...valuesOf('turnMs'), purgeCpuUs, connections: tokens.length, longestMs } },
    'stalls-gc': { values: valuesOf('collectionMs') },
  };
}

/** Fills channels, then lets them keep nothing, and measures the purge that follows. */
async function purge(endpoint: Job['endpoint'], backend: Backend, count: number) {
  const ids = Array.from(
    { length: Math.max(2, Math.ceil(count / MESSAGES_PER_CHANNEL)) },
    (_, index) => `channel-${index}`,
  );
  await backend.createChannels(ids);
  await publish(backend, ids, count);
  await untilIdle(endpoint.pid);
  const deleteFullChannel = await longestTurnOf(endpoint, async () => {
    await backend.request(DELETE_CHANNEL, { id: ids[0] });
    await sleep(PURGE_STARTS_WITHIN_MS);
  });
  const remaining = ids.slice(1);
  let purgeCpuUs = NaN;
  const purged = await longestTurnOf(endpoint, async () => {
    const meter = startMeter(endpoint.pid);
    for (const id of remaining) await backend.request(KEEP_NOTHING, { id });
    await sleep(PURGE_STARTS_WITHIN_MS);
    await untilIdle(endpoint.pid);
    purgeCpuUs = (meter.end().serverCpuMs * 1000) / ((count / ids.length) * remaining.length);
  });
  return { deleteFullChannel, purge: purged, purgeCpuUs };
}

async function publish(backend: Backend, channels: readonly string[], count: number): Promise<void> {
  for (let from = 0; from < count; from += PUBLISHES_AT_ONCE) {
    const batch = Array.from({ length: Math.min(PUBLISHES_AT_ONCE, count - from) }, (_, index) =>
      backend.publish(from + index, 'x'.repeat(150), channels[(from + index) % channels.length]),
    );
    await Promise.all(batch);
  }
}

function messageTo(channel: string) {
  return { channel, event: 'tick', data: 'x'.repeat(300) };
}

/** Tokens that are never online. Their ids follow those of the connected tokens. */
async function mintOffline(backend: Backend, count: number): Promise<void> {
  await backend.mintTokens(Math.max(0, count), { identity: 'offline' });
}

function eventsSpec(endpoint: Job['endpoint'], { credential }: MintedToken) {
  return {
    operations: [operationOf(endpoint, { query: SUBSCRIBE_EVENTS })],
    connectionParams: { token: credential },
  };
}

function pairsMutation(name: string): string {
  return `mutation ($channels: [ID!]!, $tokens: [ID!]!) {
    ${name}(channels: $channels, tokens: $tokens) { error { code } }
  }`;
}
