import { type Facts, type Violation } from './facts.ts';
import { NEVER, type Moment, type Said } from './record.ts';

/**
 * Law 2 for all together: there is one order in which every client saw what it saw, in which every channel keeps its
 * messages, and in which what was said after something else had been acknowledged comes after it. What must come before
 * what is a graph of messages and moments; there is such an order unless the graph has a cycle.
 */
export function checkOrder(facts: Facts): Violation[] {
  const { said, streams, ending } = facts.evening;
  const logged = said.filter(({ ephemeral, outcome, to }) => {
    return !ephemeral && outcome !== 'REFUSED' && !to.startsWith('connection:');
  });
  const graph = new Graph();
  const follows = (texts: readonly string[]) => {
    texts.forEach((text, index) => index > 0 && graph.add(texts[index - 1]!, text));
  };
  for (const stream of streams) {
    const seen = facts.sightsOf(stream).filter(({ message }) => message.cursor !== null);
    follows(seen.map(({ message }) => message.data.text));
  }
  for (const { messages } of ending.histories) follows(messages.map(({ data }) => data.text));
  addMoments(graph, logged);

  const stuck = graph.stuck().filter((node) => !node.startsWith('moment '));
  if (stuck.length === 0) return [];
  return [
    {
      law: 2,
      what: `There is no one order for ${stuck.length} messages, among them ${stuck.slice(0, 5).join(', ')}`,
    },
  ];
}

/** The moments in a row: whatever was acknowledged by then comes before, whatever is said from then on comes after. */
function addMoments(graph: Graph, logged: readonly Said[]): void {
  const acts = logged.flatMap(({ text, sent, returned }) => [
    { at: sent, add: (moment: string) => graph.add(moment, text) },
    ...(returned === NEVER ? [] : [{ at: returned, add: (moment: string) => graph.add(text, moment) }]),
  ]);
  acts.sort((a, b) => a.at - b.at);
  let before: Moment | undefined;
  for (const { at, add } of acts) {
    if (before !== undefined) graph.add(`moment ${before}`, `moment ${at}`);
    add(`moment ${at}`);
    before = at;
  }
}

class Graph {
  readonly #nodes = new Map<string, { next: Set<string>; incoming: number }>();

  /** `from` comes before `to`. */
  add(from: string, to: string): void {
    const { next } = this.#node(from);
    if (next.has(to)) return;
    next.add(to);
    this.#node(to).incoming++;
  }

  /** What no order can be found for: it is on a cycle, or comes after one. */
  stuck(): string[] {
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
