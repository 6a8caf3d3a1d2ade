import { startTransition, useEffect, useRef, useState } from 'react';
import { useSession } from '../client/session-context.ts';
import { type Operation } from '../operation.ts';

/** An entry of a live stream with its number since the start, from 1: a key for entries that have no id. */
export interface Numbered<Entry> {
  readonly number: number;
  readonly entry: Entry;
}

export interface Live<Entry> {
  /** The newest entries, newest first. */
  readonly entries: readonly Numbered<Entry>[];
  /** How many arrived since the start, those that are no longer kept included. */
  readonly count: number;
  /** How many the service left out since the start, as far as it has told. */
  readonly leftOut: number;
  readonly error: unknown;
  clear(): void;
}

/** What is kept of a live stream: memory stays bounded however long the page is open. */
const KEPT = 500;
/** How often the page is rendered while entries arrive, however many there are. */
const RENDER_EVERY_MS = 200;

interface Options<Entry> {
  /** Entries are not received. */
  isPaused?: boolean;
  /** How many the service left out, by an entry that tells it. */
  leftOutOf?: (entry: Entry) => number;
  /** Whether an entry is one of the past, with which the stream begins each time that it is opened. */
  isReplayed?: (entry: Entry) => boolean;
  /** Recognizes an entry that is replayed after it has arrived: that one is dropped. Required if entries are replayed. */
  keyOf?: (entry: Entry) => string;
}

/** Follows a subscription while the component is shown. */
export function useLive<Result, Variables extends object, Entry>(
  operation: Operation<Result, Variables>,
  variables: Variables,
  entryOf: (result: Result) => Entry,
  { isPaused = false, leftOutOf = () => 0, isReplayed, keyOf }: Options<Entry> = {},
): Live<Entry> {
  const { client } = useSession();
  const [shown, setShown] = useState<Pick<Live<Entry>, 'entries' | 'count' | 'leftOut'>>(EMPTY);
  const [error, setError] = useState<unknown>();
  const read = useRef({ entryOf, leftOutOf, isReplayed, keyOf });
  read.current = { entryOf, leftOutOf, isReplayed, keyOf };
  const known = useRef(new Set<string>());
  const key = JSON.stringify(variables);

  useEffect(() => {
    setShown(EMPTY);
    setError(undefined);
    known.current.clear();
  }, [operation, key]);

  useEffect(() => {
    if (isPaused) return;
    setError(undefined);
    let waiting: Entry[] = [];
    let arrived = 0;
    let omitted = 0;
    function show(): void {
      if (arrived === 0) return;
      const [newest, many, missing] = [waiting.reverse(), arrived, omitted];
      [waiting, arrived, omitted] = [[], 0, 0];
      // A click or a key press does not wait until the rows are drawn.
      startTransition(() =>
        setShown(({ entries, count, leftOut }) => ({
          entries: [
            ...newest.map((entry, index) => ({ entry, number: count + many - index })),
            ...entries,
          ].slice(0, KEPT),
          count: count + many,
          leftOut: leftOut + missing,
        })),
      );
    }
    const timer = setInterval(show, RENDER_EVERY_MS);
    /** Remembers an entry. Of those of the past, one may have arrived before the connection was lost or the stream paused. */
    function isRepeated(entry: Entry): boolean {
      const { keyOf: toKey, isReplayed: isPast } = read.current;
      if (!toKey) return false;
      const entryKey = toKey(entry);
      if (isPast?.(entry) && known.current.has(entryKey)) return true;
      known.current.add(entryKey);
      const [oldest] = known.current;
      if (known.current.size > KEPT && oldest !== undefined) known.current.delete(oldest);
      return false;
    }
    const stop = client.subscribe(operation, JSON.parse(key) as object, {
      next(result) {
        const entry = read.current.entryOf(result as Result);
        if (isRepeated(entry)) return;
        arrived++;
        omitted += read.current.leftOutOf(entry);
        waiting.push(entry);
        if (waiting.length > KEPT) waiting = waiting.slice(-KEPT);
      },
      error: setError,
    });
    return () => {
      clearInterval(timer);
      stop();
      // What arrived last is known already, and would be dropped as a repetition when it is replayed. With other variables, EMPTY follows.
      show();
    };
  }, [client, operation, key, isPaused]);
  return { ...shown, error, clear: () => setShown(EMPTY) };
}

const EMPTY = { entries: [], count: 0, leftOut: 0 };
