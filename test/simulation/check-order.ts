import { type RecordIndex, type Violation } from './record-index.ts';
import { NEVER, type Moment, type PublishAttempt } from './record.ts';

/**
 * Checks law 2 for all clients together: there is one order of all messages that agrees with the order of every client and
 * of every channel history, and in which a message that was published after another one was acknowledged comes after it.
 * These constraints form a graph of messages and moments; such an order exists unless the graph has a cycle.
 */
export function checkOrder(index: RecordIndex): Violation[] {
  const { attempts, streams, finalState } = index.record;
  const logged = attempts.filter(({ ephemeral, outcome, to }) => {
    return !ephemeral && outcome !== 'REFUSED' && !to.startsWith('connection:');
  });
  const graph = new Graph();
  const addSequence = (texts: readonly string[]) => {
    texts.forEach((text, at) => at > 0 && graph.add(texts[at - 1]!, text));
  };
  for (const stream of streams) {
    const received = index.deliveriesOf(stream).filter(({ message }) => message.cursor !== null);
    addSequence(received.map(({ message }) => message.data.text));
  }
  for (const { messages } of finalState.histories) addSequence(messages.map(({ data }) => data.text));
  addMoments(graph, logged);

  const unordered = graph.unordered().filter((node) => !node.startsWith('moment '));
  if (unordered.length === 0) return [];
  return [
    {
      law: 2,
      description: `${unordered.length} messages have no consistent order, among them ${unordered.slice(0, 5).join(', ')}`,
    },
  ];
}

/** Adds the moments: a message acknowledged by a moment comes before it, and one published at or after it comes after it. */
function addMoments(graph: Graph, logged: readonly PublishAttempt[]): void {
  const changes = logged.flatMap(({ text, sent, returned }) => [
    { at: sent, add: (moment: string) => graph.add(moment, text) },
    ...(returned === NEVER ? [] : [{ at: returned, add: (moment: string) => graph.add(text, moment) }]),
  ]);
  changes.sort((a, b) => a.at - b.at);
  let before: Moment | undefined;
  for (const { at, add } of changes) {
    if (before !== undefined) graph.add(`moment ${before}`, `moment ${at}`);
    add(`moment ${at}`);
    before = at;
  }
}

class Graph {
  readonly #nodes = new Map<string, { next: Set<string>; incoming: number }>();

  /** Adds the constraint that `from` comes before `to`. */
  add(from: string, to: string): void {
    const { next } = this.#node(from);
    if (next.has(to)) return;
    next.add(to);
    this.#node(to).incoming++;
  }

  /** The nodes that have no position in any order: those on a cycle, and those after one. */
  unordered(): string[] {
    const left = new Map([...this.#nodes].map(([name, { incoming }]) => [name, incoming]));
    const free = [...left].filter(([, incoming]) => incoming === 0).map(([name]) => name);
    for (let name = free.pop(); name !== undefined; name = free.pop()) {
      left.delete(name);
      for (const next of this.#nodes.get(name)!.next) {
        const incoming = left.get(next)! - 1;
        left.set(next, incoming);
        if (incoming === 0) free.push(next);
      }
    }
    return [...left.keys()];
  }

  #node(name: string) {
    const known = this.#nodes.get(name);
    if (known) return known;
    const node = { next: new Set<string>(), incoming: 0 };
    this.#nodes.set(name, node);
    return node;
  }
}
