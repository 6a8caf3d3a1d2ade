import { FENCE_AFTER_MS, type NodeRegistration } from './node-registration.ts';
import { type AppliedSignal } from './signal-reader.ts';
import { type Wire } from './wire.ts';

/** The kind of payload with which a node confirms signals. */
const APPLIED = 'applied';
/** When and how often the nodes table is asked for confirmations that were lost on the wire, in milliseconds. */
const LOOK_INTERVAL_MS = 250;
/** Registrations and signals that are remembered. */
const MAX_REMEMBERED = 10_000;
const MAX_COUNTS = 1000;

/** The confirmations of the nodes that they have applied signals. */
export interface SignalAcks extends Disposable {
  /** Everything up to this number has been applied here, and every affected connection was notified. */
  readonly confirmed: number;
  /** Confirms signals to the other nodes once every affected connection was notified. */
  confirm(through: number, applied: readonly AppliedSignal[]): void;
  /**
   * Waits until all of `nodes` have confirmed the signals `first` to `last`. Fences the ones that have not within two seconds.
   * Resolves to the number of their connections that the signals affected.
   * @throws UNAVAILABLE when the database cannot be reached to fence a node
   */
  collect(nodes: readonly string[], first: number, last: number): Promise<number>;
}

export function createSignalAcks({
  registration,
  wire,
  onFenced,
}: {
  registration: NodeRegistration;
  /** Without it, the nodes find the confirmations in the table of nodes. */
  wire: Wire | undefined;
  /** Called with the registrations that were fenced. */
  onFenced: (nodes: readonly string[]) => void;
}): SignalAcks {
  const { nodeId } = registration;
  let confirmed = 0;
  let confirming = Promise.resolve();
  /** Up to which signal each registration has confirmed. */
  const throughOf = new Map<string, number>();
  /** For each signal of this node, the number of connections that it has affected on other nodes. */
  const affectedBy = new Map<number, number>();
  const waits = new Set<() => void>();

  const subscription = wire?.listen(APPLIED, (payload) => {
    const ack = parseAck(payload);
    if (!ack) return;
    remember(throughOf, ack.node, Math.max(ack.through, throughOf.get(ack.node) ?? 0));
    for (const [sequence, connections, sender] of ack.counts)
      if (sender.startsWith(`${nodeId}.`))
        remember(affectedBy, sequence, (affectedBy.get(sequence) ?? 0) + connections);
    for (const wake of waits) wake();
  });

  async function confirmNext(through: number, applied: readonly AppliedSignal[]): Promise<void> {
    const counts: Count[] = [];
    for (const { sequence, node, affecting } of applied) counts.push([sequence, await affecting, node]);
    confirmed = Math.max(confirmed, through);
    if (counts.length > 0) wire?.send(APPLIED, { node: registration.id, through, counts } satisfies Ack);
  }

  /** Resolves at the next confirmation, and after `ms` in any case. */
  function nextAck(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waits.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      waits.add(wake);
    });
  }

  return {
    get confirmed() {
      return confirmed;
    },
    confirm(through, applied) {
      // In order, so that a number never stands for signals whose connections are still being notified.
      confirming = confirming.then(() => confirmNext(through, applied));
    },
    async collect(nodes, first, last) {
      const isOwn = (node: string) => node.startsWith(`${nodeId}.`);
      const isBehind = (node: string) => (throughOf.get(node) ?? 0) < last;
      const deadline = performance.now() + FENCE_AFTER_MS;
      let lookAt = performance.now() + LOOK_INTERVAL_MS;
      let behind = nodes.filter((node) => !isOwn(node) && isBehind(node));
      while (behind.length > 0) {
        const now = performance.now();
        if (now >= deadline) {
          await registration.fence(behind);
          onFenced(behind);
          break;
        }
        if (now >= lookAt) {
          lookAt = now + LOOK_INTERVAL_MS;
          // While the database does not answer, the confirmations can still come over the wire.
          behind = await registration.findUnconfirmed(behind, last).catch(() => behind);
        } else await nextAck(Math.min(lookAt, deadline) - now);
        behind = behind.filter(isBehind);
      }
      let connections = 0;
      for (let sequence = first; sequence <= last; sequence++) {
        connections += affectedBy.get(sequence) ?? 0;
        affectedBy.delete(sequence);
      }
      return connections;
    },
    [Symbol.dispose]: () => subscription?.[Symbol.dispose](),
  };
}

type Count = [sequence: number, connections: number, sender: string];

interface Ack {
  /** The registration that confirms. */
  node: string;
  through: number;
  counts: Count[];
}

function remember<K>(map: Map<K, number>, key: K, value: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size > MAX_REMEMBERED) map.delete(oldest);
}

/** Undefined for a payload that no node sends. */
function parseAck(payload: unknown): Ack | undefined {
  const { node, through, counts } = (payload ?? {}) as { [key in keyof Ack]?: unknown };
  if (typeof node !== 'string' || !isCount(through) || !Array.isArray(counts) || counts.length > MAX_COUNTS)
    return undefined;
  return counts.every(isCountEntry) ? { node, through, counts } : undefined;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function isCountEntry(entry: unknown): entry is Count {
  if (!Array.isArray(entry)) return false;
  const [sequence, connections, sender] = entry as unknown[];
  return isCount(sequence) && isCount(connections) && typeof sender === 'string';
}
