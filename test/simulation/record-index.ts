import { Entitlement } from './entitlement.ts';
import {
  type Address,
  type Token,
  type SimulationRecord,
  type Message,
  type Moment,
  type Patch,
  type Channel,
  type PublishAttempt,
  type Session,
  type Stream,
} from './record.ts';

export interface Violation {
  /** The number of the violated law in docs/architecture.md. 0: an unexpected answer or duration. */
  law: 0 | 1 | 2 | 3 | 4 | 5;
  description: string;
}

/** A message that a stream received, with the attempt that published it. */
export interface Delivery {
  at: Moment;
  session: Session;
  message: Message;
  /** Undefined if no attempt has this text. */
  attempt: PublishAttempt | undefined;
}

/** Look-ups in the record of a simulation. */
export class RecordIndex {
  readonly record: SimulationRecord;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly tokens: ReadonlyMap<string, Token>;
  readonly #attempts: ReadonlyMap<string, PublishAttempt>;
  readonly #attemptsTo: ReadonlyMap<Address, PublishAttempt[]>;
  readonly #patches: ReadonlyMap<string, Patch>;
  readonly #entitlements: ReadonlyMap<string, Entitlement>;
  readonly #deliveries = new Map<Stream, readonly Delivery[]>();

  constructor(record: SimulationRecord) {
    const { channels, tokens, attempts, patches, wallClock } = record;
    this.record = record;
    this.channels = new Map(channels.map((channel) => [channel.id, channel]));
    this.tokens = new Map(tokens.map((token) => [token.name, token]));
    this.#attempts = new Map(attempts.map((one) => [one.text, one]));
    this.#attemptsTo = groupBy(attempts, ({ to }) => to);
    this.#patches = new Map(patches.map((patch) => [`${patch.channel} ${patch.version}`, patch]));
    this.#entitlements = new Map(tokens.map((token) => [token.name, new Entitlement(token, wallClock)]));
  }

  attempt(text: string): PublishAttempt | undefined {
    return this.#attempts.get(text);
  }

  attemptsTo(address: Address): readonly PublishAttempt[] {
    return this.#attemptsTo.get(address) ?? [];
  }

  /** The patch that created this version of a channel; undefined if its answer was lost. */
  patch(channel: string, version: number): Patch | undefined {
    return this.#patches.get(`${channel} ${version}`);
  }

  tokenOf({ token }: Stream): Token {
    return this.tokens.get(token)!;
  }

  entitlementOf(token: string): Entitlement {
    return this.#entitlements.get(token)!;
  }

  deliveriesOf(stream: Stream): readonly Delivery[] {
    const known = this.#deliveries.get(stream);
    if (known) return known;
    const deliveries = stream.received.flatMap(({ at, session, event }) => {
      if (!('message' in event)) return [];
      const { message } = event;
      return {
        at,
        session: stream.sessions[session]!,
        message,
        attempt: this.#attempts.get(message.data.text),
      };
    });
    this.#deliveries.set(stream, deliveries);
    return deliveries;
  }

  /** The channel of the message; undefined for a direct message. */
  channelOf({ to }: PublishAttempt): Channel | undefined {
    return to.startsWith('channel:') ? this.channels.get(to.slice('channel:'.length)) : undefined;
  }

  /**
   * The start of the stream: it contains no message that was acknowledged before `sent`, and every message that was
   * published after `returned`.
   */
  startOf({ start, sessions }: Stream): { sent: Moment; returned: Moment } | undefined {
    const first = sessions[0];
    if (!first || first.connected === undefined) return undefined;
    return start ?? { sent: first.opened, returned: first.connected };
  }
}

export function groupBy<Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** The addresses of the direct messages that a token receives. */
export function directAddressesOf({ name, identity }: Token): Address[] {
  return identity === undefined ? [`token:${name}`] : [`token:${name}`, `identity:${identity}`];
}
