import { createRandomSource, type RandomSource } from './random-source.ts';
import { mayReceive } from './entitlement.ts';
import { type Grant, type Channel, type Role } from './record.ts';

/** A token to be created, with its clients. */
export interface TokenPlan {
  name: string;
  identity: string | undefined;
  role: Role;
  grants: readonly Grant[] | null;
  /** Ids of the channels that it is subscribed to at creation. */
  channels: string[];
  /** In seconds; undefined: it does not expire. */
  expiresIn: number | undefined;
  /**
   * One or two clients. `startsAtCreation`: the first subscription starts at the cursor that `createToken` returned, not at
   * the present. `connectsLater`: the client does not connect at once.
   */
  clients: { name: string; startsAtCreation: boolean; connectsLater: boolean }[];
}

export type Step =
  | { kind: 'createToken'; plan: TokenPlan }
  /** Publishes with the API key, `count` messages concurrently. */
  | { kind: 'publish'; channel: string; count: number; ephemeral: boolean }
  /** Publishes with a token over its socket. If it is not awaited, it overlaps with the next step of the token. */
  | {
      kind: 'publishOnSocket';
      client: string;
      channel: string;
      count: number;
      ephemeral: boolean;
      isAwaited: boolean;
    }
  | { kind: 'sendDirect'; to: 'token' | 'identity' | 'connection'; name: string; ephemeral: boolean }
  /** With the API key, or by the token itself over the socket of `client`. */
  | { kind: 'subscribe' | 'unsubscribe'; token: string; channel: string; client: string | undefined }
  | {
      kind: 'cut' | 'goOffline' | 'goOnline' | 'disconnect' | 'connect';
      client: string;
      isAwaited: boolean;
    }
  | { kind: 'updateToken'; token: string; role: Role; grants: readonly Grant[] | null }
  | { kind: 'setExpiry'; token: string; seconds: number }
  | { kind: 'revokeToken' | 'checkOnline'; token: string }
  /** With the API key, or by a token over its socket; `count` patches concurrently. */
  | { kind: 'patchState'; channel: string; count: number; client: string | undefined };

export interface PlanOptions {
  seed: number;
  /** Number of tokens that exist at a time. */
  tokens: number;
  /** Number of channels. */
  channels: number;
  /** Number of concurrent sequences of steps. Each token belongs to one lane, so that its steps run one after another. */
  lanes: number;
}

export function channelsOf({ channels: count }: PlanOptions): Channel[] {
  const types = ['UNPROTECTED', 'PUBLIC', 'PRIVATE', 'PRIVATE'] as const;
  return Array.from({ length: count }, (_, index) => {
    const type = types[index % types.length]!;
    return { id: `${type.toLowerCase()}:${index}`, type };
  });
}

const ROLES = { GUEST: 15, SUBSCRIBER: 25, PUBLISHER: 45, MODERATOR: 15 } as const;
const GRANTS: readonly (readonly Grant[])[] = [
  [{ channels: 'p*:*', actions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'] }],
  [
    { channels: 'private:*', actions: ['SUBSCRIBE'] },
    { channels: 'un*:*', actions: ['SUBSCRIBE', 'PUBLISH', 'MODERATE'] },
  ],
  [{ channels: '*:*1', actions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'] }],
  [],
];
/** The relative frequency of each kind of step. */
const STEP_WEIGHTS = {
  publish: 30,
  publishOnSocket: 14,
  sendDirect: 14,
  subscribe: 9,
  unsubscribe: 5,
  cut: 6,
  goOffline: 2,
  disconnect: 4,
  connect: 9,
  updateToken: 5,
  setExpiry: 0.6,
  revokeToken: 1.2,
  patchState: 5,
  checkOnline: 3,
} as const;
const EPHEMERAL = 0.15;

/** The planned state of a token, which decides the steps that make sense for it. */
interface PlannedToken {
  name: string;
  permissions: { role: Role; grants: readonly Grant[] | null };
  channelIds: Set<string>;
  clients: { name: string; isActive: boolean; isOffline: boolean }[];
}

/** The steps of one lane: first it creates all of its tokens, then it continues for as long as the caller iterates. */
export function* planLane(options: PlanOptions, lane: number): Generator<Step, never> {
  const random = createRandomSource(options.seed).fork(`lane ${lane}`);
  const channels = channelsOf(options);
  const tokens: PlannedToken[] = [];
  let created = 0;

  function createToken(): Step {
    const plan = planToken(options, `t${lane}.${created++}`, channels, random);
    const { name, channels: channelIds, clients, role, grants } = plan;
    tokens.push({
      name,
      permissions: { role, grants },
      channelIds: new Set(channelIds),
      clients: clients.map(({ name: clientName, connectsLater }) => ({
        name: clientName,
        isActive: !connectsLater,
        isOffline: false,
      })),
    });
    return { kind: 'createToken', plan };
  }

  for (let index = lane; index < options.tokens; index += options.lanes) yield createToken();
  for (;;) {
    const planned = planStep(options, tokens, channels, random);
    if (!planned) continue;
    const { step, revoked } = planned;
    yield step;
    if (revoked) tokens.splice(tokens.indexOf(revoked), 1);
    // Replace a token that has ended or is about to expire.
    if (step.kind === 'revokeToken' || step.kind === 'setExpiry') yield createToken();
  }
}

function planToken(
  { tokens }: PlanOptions,
  name: string,
  channels: readonly Channel[],
  random: RandomSource,
): TokenPlan {
  const role = random.weighted(ROLES);
  const grants = planGrants(random);
  const receivable = channels.filter((channel) => mayReceive({ role, grants }, channel));
  const subscribed = Array.from({ length: receivable.length > 0 ? random.between(0, 4) : 0 }, () =>
    random.pick(receivable),
  );
  const count = random.next() < 0.3 ? 2 : 1;
  return {
    name,
    // About two of three tokens share an identity with another token.
    identity: random.next() < 0.8 ? `user-${random.between(1, Math.ceil(tokens / 2))}` : undefined,
    role,
    grants,
    channels: [...new Set(subscribed.map(({ id }) => id))],
    expiresIn: random.next() < 0.06 ? random.between(2, 8) : undefined,
    clients: Array.from({ length: count }, (_, index) => ({
      name: `${name}/${index}`,
      startsAtCreation: random.next() < 0.6,
      connectsLater: random.next() < 0.15,
    })),
  };
}

function planGrants(random: RandomSource): readonly Grant[] | null {
  return random.next() < 0.65 ? null : random.pick(GRANTS);
}

/** The next step of a random token, or undefined if the drawn kind of step makes no sense for it. */
function planStep(
  { tokens: tokenCount, lanes }: PlanOptions,
  tokens: readonly PlannedToken[],
  channels: readonly Channel[],
  random: RandomSource,
): { step: Step; revoked?: PlannedToken } | undefined {
  const planned = random.pick(tokens);
  const { name: token, permissions, channelIds } = planned;
  const client = random.pick(planned.clients);
  const anyChannel = random.pick(channels);
  const channel = channelIds.size > 0 && random.next() < 0.8 ? random.pick([...channelIds]) : anyChannel.id;
  const ephemeral = random.next() < EPHEMERAL;
  const isConnected = client.isActive && !client.isOffline;
  const isAwaited = random.next() < 0.5;
  const kind = random.weighted(STEP_WEIGHTS);
  switch (kind) {
    case 'publish':
      return { step: { kind, channel: anyChannel.id, count: random.between(1, 6), ephemeral } };
    case 'publishOnSocket': {
      if (!client.isActive) return undefined;
      const publish = { client: client.name, channel, count: random.between(1, 3), ephemeral };
      return { step: { kind, ...publish, isAwaited: isAwaited && isConnected } };
    }
    case 'sendDirect': {
      const to = random.pick(['token', 'token', 'identity', 'connection'] as const);
      const other = `t${random.between(0, lanes - 1)}.${random.between(0, Math.floor(tokenCount / lanes) - 1)}`;
      const name = {
        token: other,
        connection: `${other}/0`,
        identity: `user-${random.between(1, tokenCount / 2)}`,
      };
      return { step: { kind, to, name: name[to], ephemeral } };
    }
    case 'subscribe': {
      if (channelIds.has(anyChannel.id) || channelIds.size > 8 || !mayReceive(permissions, anyChannel))
        return undefined;
      channelIds.add(anyChannel.id);
      const isByItself = anyChannel.type !== 'PRIVATE' && isConnected && random.next() < 0.3;
      return {
        step: { kind, token, channel: anyChannel.id, client: isByItself ? client.name : undefined },
      };
    }
    case 'unsubscribe': {
      if (channelIds.size === 0) return undefined;
      channelIds.delete(channel);
      const by = isConnected && random.next() < 0.3 ? client.name : undefined;
      return { step: { kind, token, channel, client: by } };
    }
    case 'cut':
      return client.isActive ? { step: { kind, client: client.name, isAwaited } } : undefined;
    case 'goOffline': {
      if (!client.isActive) return undefined;
      client.isOffline = !client.isOffline;
      return { step: { kind: client.isOffline ? kind : 'goOnline', client: client.name, isAwaited } };
    }
    case 'disconnect': {
      if (!isConnected) return undefined;
      client.isActive = false;
      return { step: { kind, client: client.name, isAwaited } };
    }
    case 'connect': {
      if (isConnected) return undefined;
      const wasActive = client.isActive;
      client.isActive = true;
      client.isOffline = false;
      return { step: { kind: wasActive ? 'goOnline' : kind, client: client.name, isAwaited } };
    }
    case 'updateToken': {
      planned.permissions = { role: random.weighted(ROLES), grants: planGrants(random) };
      return { step: { kind, token, ...planned.permissions } };
    }
    case 'setExpiry':
      return { step: { kind, token, seconds: random.between(1, 3) } };
    case 'revokeToken':
      return { step: { kind, token }, revoked: planned };
    case 'patchState': {
      const by = isConnected && random.next() < 0.4 ? client.name : undefined;
      return { step: { kind, channel, count: random.between(1, 4), client: by } };
    }
    case 'checkOnline':
      return { step: { kind, token } };
  }
}
