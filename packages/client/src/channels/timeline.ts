import { type Message } from '../message.ts';

/** A page of history, oldest message first. */
export interface Page {
  readonly nodes: readonly Message[];
  readonly pageInfo: {
    readonly startCursor: string | null;
    readonly endCursor: string | null;
    readonly hasPreviousPage: boolean;
    readonly hasNextPage: boolean;
  };
}

/** The messages of a page: the last ones before a cursor or the end, or the first ones after a cursor. */
export type PageRange =
  | { readonly last: number; readonly before?: string | null | undefined }
  | { readonly first: number; readonly after: string };

/** The loaded messages of a channel, without a gap: older pages, the newest page, and the live messages after it. */
export interface Timeline {
  readonly messages: readonly Message[];
  readonly isLoaded: boolean;
  /** Whether messages exist before the first one. */
  readonly hasOlder: boolean;
  /** The cursor to load older messages before. */
  readonly start: string | null;
  /** Call it before the newest page is requested: what arrives from now on follows the page or is part of it. */
  beginLoading(): void;
  /** Replaces the loaded messages with the newest page. */
  finishLoading(page: Page): void;
  /** Adds the page before the cursor `before`, unless the timeline has begun elsewhere since the page was requested. */
  prepend(page: Page, before: string | null): void;
  /** Adds a live message unless it came with a page. */
  append(message: Message): void;
}

const MAX_PAGE = 100;

/**
 * A page and what arrived live meanwhile, in the order of the log. Live messages that the page lacks, because they are not
 * kept, stay before those that they preceded.
 */
export function merge(page: readonly Message[], live: readonly Message[]): Message[] {
  const merged: Message[] = [];
  let used = 0;
  for (const message of page) {
    const index = live.findIndex(({ id }) => id === message.id);
    merged.push(...live.slice(used, Math.max(index, used)), message);
    used = Math.max(index + 1, used);
  }
  return [...merged, ...live.slice(used)];
}

/** Creates an empty timeline that keeps at most `limit` messages: the oldest are forgotten and can be loaded again. */
export function createTimeline(limit = 5_000): Timeline {
  let tail: Message[] | undefined;
  const timeline: { -readonly [Key in keyof Timeline]: Timeline[Key] } = {
    messages: [],
    isLoaded: false,
    hasOlder: false,
    start: null,
    beginLoading() {
      tail = [];
      timeline.isLoaded = false;
    },
    finishLoading({ nodes, pageInfo }) {
      timeline.messages = merge(nodes, tail ?? []);
      tail = undefined;
      timeline.isLoaded = true;
      timeline.hasOlder = pageInfo.hasPreviousPage;
      timeline.start = pageInfo.startCursor;
    },
    prepend({ nodes, pageInfo }, before) {
      if (before !== timeline.start) return;
      timeline.messages = merge(nodes, timeline.messages);
      timeline.hasOlder = pageInfo.hasPreviousPage;
      timeline.start = pageInfo.startCursor ?? timeline.start;
    },
    append(message) {
      const { messages } = timeline;
      if (messages.slice(-MAX_PAGE).some(({ id }) => id === message.id)) return;
      tail?.push(message);
      timeline.messages = [...messages, message].slice(-limit);
      if (messages.length < limit) return;
      timeline.hasOlder = true;
      timeline.start = timeline.messages.find(({ cursor }) => cursor)?.cursor ?? timeline.start;
    },
  };
  return timeline;
}
