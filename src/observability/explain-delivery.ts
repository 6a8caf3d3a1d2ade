import { type Broker } from '../broker/broker.ts';
import { channelOf } from '../broker/message.ts';
import { type Reception } from '../connections/reception.ts';
import { type Connections } from '../connections/registry.ts';
import { notFound } from '../errors.ts';
import { isObject } from '../is-object.ts';
import { refusalOf } from '../tokens/api-key-rights.ts';
import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { covers, type Restriction } from '../tokens/restriction.ts';
import { type Token } from '../tokens/token.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { type DeliveryRecords } from './delivery-records.ts';
import {
  CLOCK_MARGIN_MS,
  createDeliveryReports,
  parseFacts,
  parseReport,
  toFacts,
  type DeliveryReport,
  type MessageFacts,
  type ReportedDelivery,
} from './delivery-report.ts';

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
  /** The connections that the message was delivered to, of all nodes that answered. */
  deliveries: Delivery[];
  /** Whether the log still holds the message; undefined: not known. */
  isRetained?: boolean;
  /** The nodes that did not answer in time. */
  unansweredNodes: readonly string[];
  /** Nodes that have ended since the message was published, and their memory with them; the newest ones. */
  endedNodes: readonly string[];
}

export interface Delivery extends ReportedDelivery {
  nodeId: string;
}

export type ExplainDelivery = (
  caller: Caller,
  question: { message: string; token: string },
) => Promise<DeliveryExplanation>;

/** The kinds of the questions to other nodes. */
const FIND_MESSAGE = 'message';
const REPORT_DELIVERY = 'delivery';

/** The ids of messages are shorter; a longer one is not sent to other nodes. */
const MAX_ID_LENGTH = 100;

/** Nodes that have ended and are named. */
export const MAX_ENDED_NODES = 20;

/**
 * Explains whether a message reached a token, from what the nodes remember.
 * @throws NOT_FOUND when the token does not exist, UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, UNAVAILABLE
 */
export function createExplainDelivery(deps: {
  records: DeliveryRecords;
  broker: Pick<Broker, 'nodes' | 'trimmedThrough'>;
  nodeId: string;
  connections: Pick<Connections, 'ofToken'>;
  tokens: Pick<Tokens, 'find'>;
  restrictionsOf: (token: Token) => Promise<readonly Restriction[]>;
}): { explain: ExplainDelivery } & Disposable {
  const { records, broker, nodeId, connections, tokens, restrictionsOf } = deps;
  const { nodes } = broker;
  const reportHere = createDeliveryReports({ records, connections });

  const answering = [
    nodes.onQuestion(FIND_MESSAGE, (question) => {
      const { projectId, id } = isObject(question) ? question : {};
      if (typeof projectId !== 'string' || typeof id !== 'string') return undefined;
      const message = records.message(projectId, id);
      return message ? toFacts(message) : null;
    }),
    nodes.onQuestion(REPORT_DELIVERY, (question) => {
      const { message, tokenId } = isObject(question) ? question : {};
      const facts = parseFacts(message);
      return facts && typeof tokenId === 'string' ? reportHere(facts, tokenId) : undefined;
    }),
  ];

  /** The message, from this node or, for an API key that may read, the first other one that remembers it. */
  async function findMessage(
    caller: Caller,
    id: string,
  ): Promise<{ message: MessageFacts | undefined; unanswered: readonly string[] }> {
    const { projectId } = caller;
    const message = records.message(projectId, id);
    if (message || !mayRead(caller) || id.length > MAX_ID_LENGTH) return { message, unanswered: [] };
    const question = { projectId, id } satisfies Partial<MessageFacts>;
    const parse = (answer: unknown) => {
      const facts = parseFacts(answer);
      return facts?.projectId === projectId && facts.id === id ? facts : undefined;
    };
    const { answers, unanswered } = await nodes.ask(FIND_MESSAGE, question, {
      isEnough: (received) => [...received.values()].some((answer) => parse(answer) !== undefined),
    });
    return { message: [...answers.values()].map(parse).find((facts) => facts !== undefined), unanswered };
  }

  /** The reports of all nodes, that of this node first. */
  async function collectReports(message: MessageFacts, tokenId: string): Promise<Reports> {
    const facts = toFacts(message);
    const { answers, unanswered } = await nodes.ask(REPORT_DELIVERY, { message: facts, tokenId });
    // After the nodes were listed, so that one that ends at this moment is in one of both lists at least.
    const ended = await nodes.endedSince(message.publishedAt - CLOCK_MARGIN_MS / 2, MAX_ENDED_NODES);
    const endedNodes = ended.filter((node) => !answers.has(node));
    const reports: Reports['reports'] = [[nodeId, reportHere(facts, tokenId)]];
    const unansweredNodes = unanswered.filter((node) => !endedNodes.includes(node));
    for (const [node, answer] of answers) {
      const report = parseReport(answer);
      if (report) reports.push([node, report]);
      else unansweredNodes.push(node);
    }
    return { reports, unansweredNodes, endedNodes };
  }

  async function wasBanned(token: Token, { address, deliveredAt }: MessageFacts): Promise<boolean> {
    const channelId = channelOf(address);
    if (channelId === null) return false;
    return (await restrictionsOf(token)).some(
      (restriction) =>
        restriction.kind === 'BAN' && covers(restriction, channelId) && restriction.createdAt <= deliveredAt,
    );
  }

  async function isRetained({ projectId, address, sequence }: MessageFacts): Promise<boolean> {
    return sequence !== null && sequence > (await broker.trimmedThrough(projectId, address));
  }

  async function explain(
    caller: Caller,
    question: { message: string; token: string },
  ): Promise<DeliveryExplanation> {
    const { message, unanswered } = await findMessage(caller, question.message);
    requireApiKey(caller, 'READ', (message && channelOf(message.address)) ?? undefined);
    const token = await tokens.find(caller.projectId, question.token);
    if (!token) throw notFound('token', question.token);
    if (!message) return { ...unknown(NOT_REMEMBERED), ...NO_NODES, unansweredNodes: unanswered };
    const known = { isRetained: await isRetained(message) };
    if (!isAddressedTo(token, message))
      return {
        ...refused('NOT_ADDRESSED', 'the message was published directly to another token or identity'),
        ...known,
        ...NO_NODES,
      };
    const { reports, unansweredNodes, endedNodes } = await collectReports(message, token.id);
    const judged = judge({ reports, unansweredNodes, endedNodes });
    const explanation =
      judged === 'NO_SUBSCRIPTION'
        ? await explainAbsence(
            token,
            message,
            reports.some(([, { wasConnected }]) => wasConnected),
          )
        : judged;
    return { ...explanation, ...known, unansweredNodes, endedNodes };
  }

  async function explainAbsence(
    token: Token,
    message: MessageFacts,
    wasConnected: boolean,
  ): Promise<Judgement> {
    const last = wasConnected ? 'NOT_SUBSCRIBED' : 'OFFLINE';
    const rule = (await wasBanned(token, message)) ? 'BANNED' : last;
    return refused(rule, BECAUSE[rule]);
  }

  return {
    explain,
    [Symbol.dispose]() {
      for (const each of answering) each[Symbol.dispose]();
    },
  };
}

interface Reports {
  reports: [node: string, report: DeliveryReport][];
  unansweredNodes: readonly string[];
  endedNodes: readonly string[];
}

type Judgement = Omit<DeliveryExplanation, 'unansweredNodes' | 'endedNodes'>;

/** NO_SUBSCRIPTION: the message was not delivered, and no subscription tells why. */
function judge({ reports, unansweredNodes, endedNodes }: Reports): Judgement | 'NO_SUBSCRIPTION' {
  const deliveries = reports.flatMap(([nodeId, report]) =>
    report.deliveries.map((delivery) => ({ nodeId, ...delivery })),
  );
  if (deliveries.length > 0)
    return {
      outcome: 'DELIVERED',
      because: 'the message was delivered to a connection of the token',
      deliveries,
    };
  const has = (wanted: Reception) => reports.some(([, { receptions }]) => receptions.includes(wanted));
  if (has('PENDING'))
    return {
      outcome: 'PENDING',
      because: 'a subscription of the token still replays older messages',
      deliveries: [],
    };
  if (has('UNKNOWN'))
    return unknown('a subscription of the token was ending, or catching up, when the message was delivered');
  const [unanswered] = unansweredNodes;
  if (unanswered !== undefined)
    return unknown(`the node ${unanswered} did not answer in time, and may have delivered the message`);
  const [ended] = endedNodes;
  if (ended !== undefined)
    return unknown(`the node ${ended} has ended since the message was published, and may have delivered it`);
  const forgetful = reports.find(([, { hasForgotten }]) => hasForgotten);
  if (forgetful)
    return unknown(
      `the node ${forgetful[0]} has forgotten messages, or subscriptions that ended, since the message was delivered`,
    );
  const rule = FROM_RECEPTION.find((one) => has(one));
  return rule ? refused(rule, BECAUSE[rule]) : 'NO_SUBSCRIPTION';
}

const NOT_REMEMBERED =
  'no record of the message: it was published before the nodes that answered started, is among those that they have forgotten, is a message to a connection, or never existed';
const NO_NODES = { unansweredNodes: [], endedNodes: [] };

/** Whether the caller may read some messages at least; which ones is checked when the channel is known. */
const mayRead = (caller: Caller) =>
  caller.kind === 'API_KEY' &&
  refusalOf({ ...caller.apiKey, channels: null }, 'READ', undefined) === undefined;

/** The receptions that explain why a subscription did not receive the message, the most telling first. */
const FROM_RECEPTION = ['FILTERED', 'INTERRUPTED', 'HIDDEN', 'BEFORE_START'] as const;

const BECAUSE: Record<Exclude<DeliveryRule, 'NOT_ADDRESSED'>, string> = {
  FILTERED: 'the subscription of the token asked for other event names',
  INTERRUPTED: 'the connection of the token ended before the replay reached the message',
  HIDDEN: 'the message is from before the membership of the token, or was removed before it was replayed',
  BEFORE_START: 'the subscription of the token began after the message, or at a cursor after it',
  BANNED: 'the token was banned from the channel',
  NOT_SUBSCRIBED: 'the token was connected, but no subscription of it received this channel',
  OFFLINE: 'the token had no connection, and none has replayed the message since',
};

function isAddressedTo({ id, identity }: Token, { address }: MessageFacts): boolean {
  if (channelOf(address) !== null) return true;
  return address === `token:${id}` || (identity !== null && address === `identity:${identity}`);
}

const unknown = (because: string): Judgement => ({ outcome: 'UNKNOWN', because, deliveries: [] });
const refused = (rule: DeliveryRule, because: string): Judgement => ({
  outcome: 'NOT_DELIVERED',
  rule,
  because,
  deliveries: [],
});
