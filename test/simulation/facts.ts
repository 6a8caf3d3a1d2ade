import { Entitlement } from './entitlement.ts';
import {
  type Address,
  type Bearer,
  type Evening,
  type Message,
  type Moment,
  type Patch,
  type Place,
  type Said,
  type Session,
  type Stream,
} from './record.ts';

export interface Violation {
  /** Of design.md, section 2. 0: an answer that nobody expected. */
  law: 0 | 1 | 2 | 3 | 4 | 5;
  what: string;
}

/** An event that carries a message, with what is known of both. */
export interface Sight {
  at: Moment;
  session: Session;
  message: Message;
  /** Undefined: nobody said it. */
  said: Said | undefined;
}

/** An evening, indexed. */
export class Facts {
  readonly evening: Evening;
  readonly places: ReadonlyMap<string, Place>;
  readonly bearers: ReadonlyMap<string, Bearer>;
  readonly #said: ReadonlyMap<string, Said>;
  readonly #saidTo: ReadonlyMap<Address, Said[]>;
  readonly #patches: ReadonlyMap<string, Patch>;
  readonly #entitlements: ReadonlyMap<string, Entitlement>;
  readonly #sights = new Map<Stream, readonly Sight[]>();

  constructor(evening: Evening) {
    const { places, bearers, said, patches, walls } = evening;
    this.evening = evening;
    this.places = new Map(places.map((place) => [place.id, place]));
    this.bearers = new Map(bearers.map((bearer) => [bearer.name, bearer]));
    this.#said = new Map(said.map((one) => [one.text, one]));
    this.#saidTo = groupBy(said, ({ to }) => to);
    this.#patches = new Map(patches.map((patch) => [`${patch.channel} ${patch.version}`, patch]));
    this.#entitlements = new Map(bearers.map((bearer) => [bearer.name, new Entitlement(bearer, walls)]));
  }

  said(text: string): Said | undefined {
    return this.#said.get(text);
  }

  saidTo(address: Address): readonly Said[] {
    return this.#saidTo.get(address) ?? [];
  }

  /** The change that made this version of a channel; undefined: nobody was told which. */
  patch(channel: string, version: number): Patch | undefined {
    return this.#patches.get(`${channel} ${version}`);
  }

  bearerOf({ bearer }: Stream): Bearer {
    return this.bearers.get(bearer)!;
  }

  entitlementOf(bearer: string): Entitlement {
    return this.#entitlements.get(bearer)!;
  }

  sightsOf(stream: Stream): readonly Sight[] {
    const known = this.#sights.get(stream);
    if (known) return known;
    const sights = stream.seen.flatMap(({ at, session, event }) => {
      if (!('message' in event)) return [];
      const { message } = event;
      return { at, session: stream.sessions[session]!, message, said: this.#said.get(message.data.text) };
    });
    this.#sights.set(stream, sights);
    return sights;
  }

  /** The channel that was spoken in; undefined: it was said directly. */
  placeOf({ to }: Said): Place | undefined {
    return to.startsWith('channel:') ? this.places.get(to.slice('channel:'.length)) : undefined;
  }

  /** Where the stream began: not before `sent`, and after `returned` it missed nothing. */
  baseOf({ base, sessions }: Stream): { sent: Moment; returned: Moment } | undefined {
    const first = sessions[0];
    if (!first || first.connected === undefined) return undefined;
    return base ?? { sent: first.opened, returned: first.connected };
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

/** The addresses at which messages wait for a bearer. */
export function mailboxesOf({ name, identity }: Bearer): Address[] {
  return identity === undefined ? [`token:${name}`] : [`token:${name}`, `identity:${identity}`];
}
