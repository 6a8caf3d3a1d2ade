import { type Broker } from '../broker/broker.ts';
import { channelOf } from '../broker/message.ts';
import { type Connections } from '../connections/registry.ts';
import { notFound } from '../errors.ts';
import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { covers, type Restriction } from '../tokens/restriction.ts';
import { type Token } from '../tokens/token.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { receptionOf, type Reception } from '../connections/reception.ts';
import { type DeliveryRecords, type RecordedMessage } from './delivery-records.ts';

export const DELIVERY_OUTCOMES = ['DELIVERED', 'PENDING', 'NOT_DELIVERED', 'UNKNOWN'] as const;
export const DELIVERY_RULES = [
  'NOT_ADDRESSED',
  'FILTERED',
  'INTERRUPTED',
  'HIDDEN',
  'BEFORE_START',
  'BANNED',
  'NOT_SUBSCRIBED',
  'OFFLINE',
] as const;
export type DeliveryRule = (typeof DELIVERY_RULES)[number];

export interface DeliveryExplanation {
  outcome: (typeof DELIVERY_OUTCOMES)[number];
  /** Undefined unless the message was not delivered. */
  rule?: DeliveryRule;
  because: string;
  /** The connections that the message was handed over to. */
  deliveries: { connectionId: string; isReplay: boolean; at: number | undefined }[];
  /** Whether the log still holds the message; undefined: not known. */
  isRetained?: boolean;
}

export type ExplainDelivery = (
  caller: Caller,
  question: { message: string; token: string },
) => Promise<DeliveryExplanation>;

/**
 * Explains whether a message reached a token, from what this node remembers.
 * @throws NOT_FOUND when the token does not exist, UNAUTHENTICATED, FORBIDDEN
 */
export function createExplainDelivery(deps: {
  records: DeliveryRecords;
  broker: Broker;
  connections: Connections;
  tokens: Tokens;
  restrictionsOf: (token: Token) => Promise<readonly Restriction[]>;
  /** Whether other nodes may use the same database: they may have delivered the message, and this node would not know. */
  isShared: boolean;
}): ExplainDelivery {
  const { records, broker, connections, tokens, restrictionsOf, isShared } = deps;

  /** The subscriptions of the token at the address of the message, with its reception there. */
  function receptionsOf(
    tokenId: string,
    message: RecordedMessage,
  ): { connectionId: string; reception: Reception }[] {
    const live = connections
      .ofToken(tokenId)
      .flatMap(({ id, streams }) =>
        [...streams].map((stream) => ({ connectionId: id, span: stream.span?.(message.address) })),
      );
    return [...live, ...records.endedSpans(tokenId, message.address)].flatMap(({ connectionId, span }) => {
      const reception = span && receptionOf(span, message);
      return reception ? [{ connectionId, reception }] : [];
    });
  }

  function wasConnected(tokenId: string, { deliveredAt }: RecordedMessage): boolean {
    return (
      connections.ofToken(tokenId).some(({ openedAt }) => openedAt <= deliveredAt) ||
      records
        .endedConnections(tokenId)
        .some(({ openedAt, closedAt }) => openedAt <= deliveredAt && deliveredAt <= closedAt)
    );
  }

  async function wasBanned(token: Token, { address, deliveredAt }: RecordedMessage): Promise<boolean> {
    const channelId = channelOf(address);
    if (channelId === null) return false;
    return (await restrictionsOf(token)).some(
      (restriction) =>
        restriction.kind === 'BAN' && covers(restriction, channelId) && restriction.createdAt <= deliveredAt,
    );
  }

  async function isRetained({ projectId, address, sequence }: RecordedMessage): Promise<boolean> {
    return sequence !== null && sequence > (await broker.trimmedThrough(projectId, address));
  }

  return async (caller, question) => {
    const message = records.message(caller.projectId, question.message);
    requireApiKey(caller, 'READ', (message && channelOf(message.address)) ?? undefined);
    const token = await tokens.find(caller.projectId, question.token);
    if (!token) throw notFound('token', question.token);
    if (!message)
      return unknown(
        'this node does not remember the message: it was delivered before the node started, is among those that were forgotten, is a message to a connection, or never existed',
      );
    const known = { isRetained: await isRetained(message) };
    if (!isAddressedTo(token, message))
      return {
        ...refused('NOT_ADDRESSED', 'the message was published directly to another token or identity'),
        ...known,
      };

    const receptions = receptionsOf(token.id, message);
    const handedOver = receptions.filter(({ reception }) => reception === 'LIVE' || reception === 'REPLAYED');
    if (handedOver.length > 0)
      return {
        outcome: 'DELIVERED',
        because: 'the message was handed over to a connection of the token',
        deliveries: handedOver.map(({ connectionId, reception }) => ({
          connectionId,
          isReplay: reception === 'REPLAYED',
          at: reception === 'LIVE' ? message.deliveredAt : undefined,
        })),
        ...known,
      };
    const has = (wanted: Reception) => receptions.some(({ reception }) => reception === wanted);
    if (has('PENDING'))
      return {
        outcome: 'PENDING',
        because: 'a subscription of the token still replays older messages',
        deliveries: [],
        ...known,
      };
    if (has('UNKNOWN'))
      return {
        ...unknown('a subscription of the token was ending, or catching up, when the message was delivered'),
        ...known,
      };
    if (isShared)
      return { ...unknown('this node did not deliver the message; another node may have done so'), ...known };
    if (records.isIncompleteSince(message))
      return {
        ...unknown('this node has forgotten subscriptions that ended after the message was delivered'),
        ...known,
      };
    const rule = FROM_RECEPTION.find((one) => has(one));
    if (rule) return { ...refused(rule, BECAUSE[rule]), ...known };
    if (await wasBanned(token, message)) return { ...refused('BANNED', BECAUSE.BANNED), ...known };
    const last = wasConnected(token.id, message) ? 'NOT_SUBSCRIBED' : 'OFFLINE';
    return { ...refused(last, BECAUSE[last]), ...known };
  };
}

/** The receptions that explain why a subscription did not receive the message, the most telling first. */
const FROM_RECEPTION = ['FILTERED', 'INTERRUPTED', 'HIDDEN', 'BEFORE_START'] as const;

const BECAUSE: Record<Exclude<DeliveryRule, 'NOT_ADDRESSED'>, string> = {
  FILTERED: 'the subscription of the token asked for other event names',
  INTERRUPTED: 'the connection of the token ended before the replay reached the message',
  HIDDEN: 'the message is from before the membership of the token, or was removed before it was replayed',
  BEFORE_START: 'the subscription of the token began after the message, or at a cursor after it',
  BANNED: 'the token was banned from the channel',
  NOT_SUBSCRIBED: 'the token was connected, but no subscription of it received this channel',
  OFFLINE: 'the token had no connection to this node, and none has replayed the message since',
};

function isAddressedTo({ id, identity }: Token, { address }: RecordedMessage): boolean {
  if (channelOf(address) !== null) return true;
  return address === `token:${id}` || (identity !== null && address === `identity:${identity}`);
}

const unknown = (because: string): DeliveryExplanation => ({ outcome: 'UNKNOWN', because, deliveries: [] });
const refused = (rule: DeliveryRule, because: string): DeliveryExplanation => ({
  outcome: 'NOT_DELIVERED',
  rule,
  because,
  deliveries: [],
});
