import { MAX_ENDED, MAX_MESSAGES } from '../observability/delivery-records.ts';
import { MAX_ANSWER_MS } from '../broker/nodes.ts';
import { MAX_DELIVERIES } from '../observability/delivery-report.ts';
import {
  DELIVERY_OUTCOMES,
  DELIVERY_RULES,
  MAX_ENDED_NODES,
  type DeliveryExplanation,
} from '../observability/explain-delivery.ts';
import { builder } from './builder.ts';
import { described } from './enums.ts';

const DeliveryOutcomeEnum = builder.enumType('DeliveryOutcome', {
  description: 'Whether a message reached a token.',
  values: described(DELIVERY_OUTCOMES, {
    DELIVERED:
      'The message was delivered to at least one connection of the token. Whether the client has read it is not known.',
    PENDING: 'A subscription of the token still replays older messages, and has not reached this one.',
    NOT_DELIVERED: 'The message was delivered to no connection of the token; `rule` tells why.',
    UNKNOWN: 'The nodes that answered cannot know; `because` tells why.',
  }),
});

const DeliveryRuleEnum = builder.enumType('DeliveryRule', {
  description:
    'Why a message was not delivered to a token. If subscriptions differ, the first of these rules that applies to one of them.',
  values: described(DELIVERY_RULES, {
    NOT_ADDRESSED: 'The message was published directly to another token or identity.',
    FILTERED: 'The subscription of the token asked for other event names.',
    INTERRUPTED: 'The subscription ended before its replay reached the message.',
    HIDDEN:
      'The message is older than the membership of the token, belongs to a deleted channel of the same id, or was removed before it was replayed.',
    BEFORE_START: 'The subscription began after the message, or at a cursor after it.',
    BANNED: 'The token was banned from the channel, and still is.',
    NOT_SUBSCRIBED: 'The token was connected, but no subscription of it received the channel.',
    OFFLINE: 'The token had no connection, and none has replayed the message since.',
  }),
});

const DeliveryRef = builder.objectRef<DeliveryExplanation['deliveries'][number]>('Delivery').implement({
  description: 'The delivery of a message to one connection.',
  fields: (t) => ({
    connection: t.exposeID('connectionId', {
      description: 'The id of the connection, which may have ended since.',
    }),
    node: t.exposeID('nodeId', { description: 'The id of the node that held the connection.' }),
    replayed: t.exposeBoolean('isReplay', {
      description:
        'Whether the connection received it by a replay, and not when it was published. Where the node has forgotten its delivery, this follows from whether the connection was open by then.',
    }),
    at: t.expose('at', {
      type: 'DateTime',
      nullable: true,
      description: 'When the message was delivered; null for a replay, whose time is not kept.',
    }),
  }),
});

const DeliveryExplanationRef = builder.objectRef<DeliveryExplanation>('DeliveryExplanation').implement({
  description: 'Whether a message reached a token, as far as the nodes that answered know.',
  fields: (t) => ({
    outcome: t.expose('outcome', {
      type: DeliveryOutcomeEnum,
      description: 'Whether the message reached the token.',
    }),
    rule: t.expose('rule', {
      type: DeliveryRuleEnum,
      nullable: true,
      description: 'Why the message was not delivered; null for other outcomes.',
    }),
    because: t.exposeString('because', { description: 'An explanation for developers.' }),
    deliveries: t.expose('deliveries', {
      type: [DeliveryRef],
      description: `The connections that the message was delivered to; one entry for each subscription, at most ${MAX_DELIVERIES} of each node.`,
    }),
    isRetained: t.exposeBoolean('isRetained', {
      nullable: true,
      description:
        'Whether the log still holds the message, so that a client with an older cursor can receive it. Null if no node remembers the message.',
    }),
    unansweredNodes: t.exposeIDList('unansweredNodes', {
      description:
        'The ids of the nodes that did not answer in time: deliveries by them are missing. Empty where there is one node.',
    }),
    endedNodes: t.exposeIDList('endedNodes', {
      description: `The ids of the newest nodes that have ended since the message was published, at most ${MAX_ENDED_NODES}: deliveries by them are missing. Always empty on SQLite, where a message of the process before is not remembered.`,
    }),
  }),
});

builder.queryFields((t) => ({
  explainDelivery: t.field({
    type: DeliveryExplanationRef,
    description: `Explains whether a token received a message, on which connections, and if not, why. All nodes answer from their memories: each knows the last ${MAX_MESSAGES.toLocaleString('en')} messages that it delivered since its start, the connections that it holds, and at least the last ${(MAX_ENDED / 2).toLocaleString('en')} subscriptions and connections that ended. The answer waits for the other nodes for up to ${MAX_ANSWER_MS / 1000} seconds, and as long again to find a message that the node does not remember. What the nodes cannot know is UNKNOWN: older messages, messages to one connection, and what nodes have done that have ended or do not answer. For API keys. Throws NOT_FOUND, UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, UNAVAILABLE.`,
    args: {
      message: t.arg.id({ required: true, description: 'The id of the message.' }),
      token: t.arg.id({ required: true, description: 'The id of the token.' }),
    },
    resolve: (_, question, { caller, domain }) => domain.explainDelivery(caller, question),
  }),
}));
