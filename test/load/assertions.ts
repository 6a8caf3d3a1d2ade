import { expect } from 'vitest';
import { type ReceivedMessage } from '../support/resuming-subscription.ts';
import { type ServiceClient } from '../support/service.ts';
import { type Subscriber } from './subscribers.ts';
import { CHANNELS, type PublishAttempt, type Span } from './publishing.ts';

const HISTORY = `query ($channel: ID!, $after: Cursor) { channel(id: $channel) {
  messages(first: 100, after: $after) {
    nodes { id cursor previous channel event data } pageInfo { hasNextPage endCursor }
  }
} }`;

interface Page {
  nodes: ReceivedMessage[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** Reads the whole history of a channel. */
export async function readHistory({ request }: ServiceClient, channel: string): Promise<ReceivedMessage[]> {
  const all: ReceivedMessage[] = [];
  for (let after: string | null = null; ;) {
    const page: Page = (await request(HISTORY, { channel, after })).channel.messages;
    all.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) return all;
    after = page.pageInfo.endCursor;
  }
}

/** Short labels for messages in assertion failures: the channel, and the index in its history. */
export class MessageLabels {
  readonly #labels = new Map<string, string>();

  constructor(histories: readonly ReceivedMessage[][]) {
    for (const history of histories)
      history.forEach(({ id, channel }, index) => this.#labels.set(id, `${channel} ${index}`));
  }

  of(messages: readonly { id: string | undefined }[]): string[] {
    return messages.map(({ id }) => this.#labels.get(id ?? '') ?? `${id} is in no history`);
  }
}

const isLogged = ({ cursor }: ReceivedMessage) => cursor !== null;

/** The messages of the log that a subscriber must receive, in the order of the log. */
export function expectedMessages(
  { channels, eventFilter }: Subscriber,
  log: readonly ReceivedMessage[],
): ReceivedMessage[] {
  const names: readonly (string | null)[] = channels;
  return log.filter(({ channel, event }) => names.includes(channel) && event === (eventFilter ?? event));
}

/** Expects that the subscriber received every message since its start, once, unchanged, and in the order of the log. */
export function expectComplete(
  subscriber: Subscriber,
  log: readonly ReceivedMessage[],
  labels: MessageLabels,
): void {
  const { name, subscription } = subscriber;
  const received = subscription.messages.filter(isLogged);
  const expected = expectedMessages(subscriber, log);
  expect({ name, received: labels.of(received) }).toEqual({ name, received: labels.of(expected) });
  const changed = received.filter((one, index) => JSON.stringify(one) !== JSON.stringify(expected[index]));
  expect({ name, changed: labels.of(changed) }).toEqual({ name, changed: [] });
  const gaps = subscription.events.filter(({ __typename }) => __typename === 'Gap');
  expect({ name, gaps }).toEqual({ name, gaps: [] });
}

/** Expects that the subscriber received a prefix of its messages, and none that was published after `end` had returned. */
export function expectPrefixBefore(
  subscriber: Subscriber,
  log: readonly ReceivedMessage[],
  attempts: ReadonlyMap<string, PublishAttempt>,
  end: Span,
  labels: MessageLabels,
): void {
  const { name, subscription } = subscriber;
  const received = subscription.messages.filter(isLogged);
  const expected = expectedMessages(subscriber, log).slice(0, received.length);
  expect({ name, received: labels.of(received) }).toEqual({ name, received: labels.of(expected) });
  const late = subscription.messages.filter(({ id }) => attempts.get(id)!.sent > end.returned);
  expect({ name, late: labels.of(late) }).toEqual({ name, late: [] });
}

/** Expects that all subscribers that were live throughout received the same messages in the same order, also ephemeral ones. */
export function expectSameOrder(
  subscribers: readonly Subscriber[],
  attempts: readonly PublishAttempt[],
): void {
  for (const channel of CHANNELS) {
    const kept = attempts.filter((one) => one.channel === channel && one.id !== undefined);
    const steady = subscribers.filter(
      ({ isFromStart, eventFilter, channels }) => isFromStart && !eventFilter && channels.includes(channel),
    );
    const orders = steady.map(({ name, subscription }) => {
      const own = subscription.messages.filter((message) => message.channel === channel);
      return { name, order: own.map(({ id }) => id) };
    });
    for (const { name, order } of orders) {
      expect({ name, channel, order: order.toSorted() }).toEqual({
        name,
        channel,
        order: kept.map(({ id }) => id).toSorted(),
      });
      expect({ name, channel, order }).toEqual({ name, channel, order: orders[0]!.order });
    }
  }
}

/**
 * Expects that a subscriber with several memberships received every message published while its token was certainly a
 * member, none published while it certainly was not, and each once, in the order of the log.
 */
export function expectMembershipPeriods(
  { name, subscription }: Subscriber,
  history: readonly ReceivedMessage[],
  attempts: ReadonlyMap<string, PublishAttempt>,
  membershipPeriods: readonly { began: Span; ended: Span | undefined }[],
  labels: MessageLabels,
): { required: number; forbidden: number } {
  const channel = history[0]?.channel;
  const received = subscription.messages.filter((one) => one.channel === channel && isLogged(one));
  const ids = new Set(received.map(({ id }) => id));
  const inOrder = history.filter(({ id }) => ids.has(id));
  expect({ name, received: labels.of(received) }).toEqual({ name, received: labels.of(inOrder) });

  const isDuring = ({ sent, returned }: Span) =>
    membershipPeriods.some(
      ({ began, ended }) => began.returned < sent && (ended?.sent ?? Infinity) > returned,
    );
  const isOutside = ({ sent, returned }: Span) =>
    membershipPeriods.every(
      ({ began, ended }) => began.sent > returned || (ended?.returned ?? Infinity) < sent,
    );
  const required = history.filter(({ id }) => isDuring(attempts.get(id)!));
  const forbidden = history.filter(({ id }) => isOutside(attempts.get(id)!));
  expect({ name, missed: labels.of(required.filter(({ id }) => !ids.has(id))) }).toEqual({
    name,
    missed: [],
  });
  expect({ name, overheard: labels.of(forbidden.filter(({ id }) => ids.has(id))) }).toEqual({
    name,
    overheard: [],
  });
  return { required: required.length, forbidden: forbidden.length };
}
