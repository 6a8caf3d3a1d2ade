import { expect } from 'vitest';
import { type ReceivedMessage } from '../support/resuming-subscription.ts';
import { type ServiceClient } from '../support/service.ts';
import { type Listener } from './listener.ts';
import { CHANNELS, type Said, type Span } from './speech.ts';

const HISTORY = `query ($channel: ID!, $after: Cursor) { channel(id: $channel) {
  messages(first: 100, after: $after) {
    nodes { id cursor previous channel event data } pageInfo { hasNextPage endCursor }
  }
} }`;

interface Page {
  nodes: ReceivedMessage[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** The log of one channel, as it is read afterwards. */
export async function readHistory({ request }: ServiceClient, channel: string): Promise<ReceivedMessage[]> {
  const all: ReceivedMessage[] = [];
  for (let after: string | null = null; ;) {
    const page: Page = (await request(HISTORY, { channel, after })).channel.messages;
    all.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) return all;
    after = page.pageInfo.endCursor;
  }
}

/** Where each message is, so that failures are short: `channel` and how many came before it there. */
export class Places {
  readonly #places = new Map<string, string>();

  constructor(histories: readonly ReceivedMessage[][]) {
    for (const history of histories)
      history.forEach(({ id, channel }, index) => this.#places.set(id, `${channel} ${index}`));
  }

  of(messages: readonly { id: string | undefined }[]): string[] {
    return messages.map(({ id }) => this.#places.get(id ?? '') ?? `${id} is nowhere`);
  }
}

const isLogged = ({ cursor }: ReceivedMessage) => cursor !== null;

/** What a listener must have heard of the log, in its order. */
export function dueTo({ channels, only }: Listener, log: readonly ReceivedMessage[]): ReceivedMessage[] {
  const places: readonly (string | null)[] = channels;
  return log.filter(({ channel, event }) => places.includes(channel) && event === (only ?? event));
}

/** Everything since it began, each once, in the order of the log, as it is in the log. */
export function expectAll(listener: Listener, log: readonly ReceivedMessage[], places: Places): void {
  const { name, followed } = listener;
  const heard = followed.messages.filter(isLogged);
  const due = dueTo(listener, log);
  expect({ name, heard: places.of(heard) }).toEqual({ name, heard: places.of(due) });
  const changed = heard.filter((one, index) => JSON.stringify(one) !== JSON.stringify(due[index]));
  expect({ name, changed: places.of(changed) }).toEqual({ name, changed: [] });
  const gaps = followed.events.filter(({ __typename }) => __typename === 'Gap');
  expect({ name, gaps }).toEqual({ name, gaps: [] });
}

/** All up to somewhere, and nothing that was said after `end` had returned. */
export function expectPrefix(
  listener: Listener,
  log: readonly ReceivedMessage[],
  said: ReadonlyMap<string, Said>,
  end: Span,
  places: Places,
): void {
  const { name, followed } = listener;
  const heard = followed.messages.filter(isLogged);
  const due = dueTo(listener, log).slice(0, heard.length);
  expect({ name, heard: places.of(heard) }).toEqual({ name, heard: places.of(due) });
  const late = followed.messages.filter(({ id }) => said.get(id)!.sent > end.returned);
  expect({ name, late: places.of(late) }).toEqual({ name, late: [] });
}

/** Whoever was there all the time has heard the same, ephemeral or not. */
export function expectSameAll(listeners: readonly Listener[], said: readonly Said[]): void {
  for (const channel of CHANNELS) {
    const kept = said.filter((one) => one.channel === channel && one.id !== undefined);
    const steady = listeners.filter(
      ({ isSteady, only, channels }) => isSteady && !only && channels.includes(channel),
    );
    const orders = steady.map(({ name, followed }) => {
      const own = followed.messages.filter((message) => message.channel === channel);
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
 * One whose membership came and went: what was said while it surely was a member it heard, what was said while it surely
 * was none it did not, and all in the order of the log, each once.
 */
export function expectStays(
  { name, followed }: Listener,
  history: readonly ReceivedMessage[],
  said: ReadonlyMap<string, Said>,
  stays: readonly { began: Span; ended: Span | undefined }[],
  places: Places,
): { must: number; mayNot: number } {
  const channel = history[0]?.channel;
  const heard = followed.messages.filter((one) => one.channel === channel && isLogged(one));
  const ids = new Set(heard.map(({ id }) => id));
  const inOrder = history.filter(({ id }) => ids.has(id));
  expect({ name, heard: places.of(heard) }).toEqual({ name, heard: places.of(inOrder) });

  const isDuring = ({ sent, returned }: Span) =>
    stays.some(({ began, ended }) => began.returned < sent && (ended?.sent ?? Infinity) > returned);
  const isOutside = ({ sent, returned }: Span) =>
    stays.every(({ began, ended }) => began.sent > returned || (ended?.returned ?? Infinity) < sent);
  const must = history.filter(({ id }) => isDuring(said.get(id)!));
  const mayNot = history.filter(({ id }) => isOutside(said.get(id)!));
  expect({ name, missed: places.of(must.filter(({ id }) => !ids.has(id))) }).toEqual({ name, missed: [] });
  expect({ name, overheard: places.of(mayNot.filter(({ id }) => ids.has(id))) }).toEqual({
    name,
    overheard: [],
  });
  return { must: must.length, mayNot: mayNot.length };
}
