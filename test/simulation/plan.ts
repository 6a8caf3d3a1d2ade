import { createChance, type Chance } from './chance.ts';
import { mayHear } from './entitlement.ts';
import { type Grant, type Place, type Role } from './record.ts';

/** A token that comes to the evening. */
export interface Arrival {
  name: string;
  identity: string | undefined;
  role: Role;
  grants: readonly Grant[] | null;
  /** Channels it is subscribed to as it is minted. */
  channels: string[];
  /** Absent: it does not expire. */
  expiresIn: number | undefined;
  /** One or two; whether each begins at the cursor that came with the credential, or now; whether it comes at once. */
  phones: { name: string; isFromMinting: boolean; isLate: boolean }[];
}

export type Act =
  | { do: 'arrive'; arrival: Arrival }
  /** By the API key, all at once. */
  | { do: 'say'; channel: string; count: number; ephemeral: boolean }
  /** By a token over its socket; not waited for, it overlaps with what happens to the token next. */
  | { do: 'speak'; phone: string; channel: string; count: number; ephemeral: boolean; isAwaited: boolean }
  | { do: 'whisper'; to: 'token' | 'identity' | 'connection'; name: string; ephemeral: boolean }
  /** By the API key, or by the token itself over its socket. */
  | { do: 'join' | 'part'; token: string; channel: string; phone: string | undefined }
  | { do: 'cut' | 'outage' | 'mend' | 'leave' | 'return'; phone: string; isAwaited: boolean }
  | { do: 'change'; token: string; role: Role; grants: readonly Grant[] | null }
  | { do: 'limit'; token: string; seconds: number }
  | { do: 'revoke' | 'ask'; token: string }
  /** By the API key, or by a token over its socket; all at once. */
  | { do: 'patch'; channel: string; count: number; phone: string | undefined };

export interface Cast {
  seed: number;
  tokens: number;
  channels: number;
  /** Things that happen side by side: what is done about one token is done in one lane, one after the other. */
  lanes: number;
}

export function placesOf({ channels }: Cast): Place[] {
  const types = ['UNPROTECTED', 'PUBLIC', 'PRIVATE', 'PRIVATE'] as const;
  return Array.from({ length: channels }, (_, index) => {
    const type = types[index % types.length]!;
    return { id: `${type.toLowerCase()}:${index}`, type };
  });
}

const ROLES = { GUEST: 15, SUBSCRIBER: 25, PUBLISHER: 45, MODERATOR: 15 } as const;
const GRANTS: readonly (readonly Grant[])[] = [
  [{ channels: 'p*:*', actions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'] }],
  [
    { channels: 'private:*', actions: ['SUBSCRIBE'] },
    { channels: 'un*:*', actions: ['SUBSCRIBE', 'PUBLISH', 'MODERATE'] },
  ],
  [{ channels: '*:*1', actions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'] }],
  [],
];
const ACTS = {
  say: 30,
  speak: 14,
  whisper: 14,
  join: 9,
  part: 5,
  cut: 6,
  outage: 2,
  leave: 4,
  return: 9,
  change: 5,
  limit: 0.6,
  revoke: 1.2,
  patch: 5,
  ask: 3,
} as const;
const EPHEMERAL = 0.15;

interface Actor {
  name: string;
  rule: { role: Role; grants: readonly Grant[] | null };
  channels: Set<string>;
  phones: { name: string; isHere: boolean; isOut: boolean }[];
}

/** What happens in one lane: first all arrive, then the evening goes on for as long as one asks. */
export function* planLane(cast: Cast, lane: number): Generator<Act, never> {
  const chance = createChance(cast.seed).fork(`lane ${lane}`);
  const places = placesOf(cast);
  const actors: Actor[] = [];
  let arrived = 0;

  function arrive(): Act {
    const arrival = planArrival(cast, `t${lane}.${arrived++}`, places, chance);
    const { name, channels, phones, role, grants } = arrival;
    actors.push({
      name,
      rule: { role, grants },
      channels: new Set(channels),
      phones: phones.map(({ name: phone, isLate }) => ({ name: phone, isHere: !isLate, isOut: false })),
    });
    return { do: 'arrive', arrival };
  }

  for (let index = lane; index < cast.tokens; index += cast.lanes) yield arrive();
  for (;;) {
    const act = planAct(cast, actors, places, chance);
    if (!act) continue;
    yield act.act;
    if (act.revoked) actors.splice(actors.indexOf(act.revoked), 1);
    // Whose end has come makes room for another one.
    if (act.act.do === 'revoke' || act.act.do === 'limit') yield arrive();
  }
}

function planArrival({ tokens }: Cast, name: string, places: readonly Place[], chance: Chance): Arrival {
  const role = chance.weighed(ROLES);
  const grants = planGrants(chance);
  const audible = places.filter((place) => mayHear({ role, grants }, place));
  const channels = Array.from({ length: audible.length > 0 ? chance.between(0, 4) : 0 }, () =>
    chance.pick(audible),
  );
  const count = chance.next() < 0.3 ? 2 : 1;
  return {
    name,
    // Two of three tokens share an identity with another one, about.
    identity: chance.next() < 0.8 ? `user-${chance.between(1, Math.ceil(tokens / 2))}` : undefined,
    role,
    grants,
    channels: [...new Set(channels.map(({ id }) => id))],
    expiresIn: chance.next() < 0.06 ? chance.between(2, 8) : undefined,
    phones: Array.from({ length: count }, (_, index) => ({
      name: `${name}/${index}`,
      isFromMinting: chance.next() < 0.6,
      isLate: chance.next() < 0.15,
    })),
  };
}

function planGrants(chance: Chance): readonly Grant[] | null {
  return chance.next() < 0.65 ? null : chance.pick(GRANTS);
}

function planAct(
  { tokens, lanes }: Cast,
  actors: readonly Actor[],
  places: readonly Place[],
  chance: Chance,
): { act: Act; revoked?: Actor } | undefined {
  const actor = chance.pick(actors);
  const { name: token, rule, channels } = actor;
  const phone = chance.pick(actor.phones);
  const place = chance.pick(places);
  const channel = channels.size > 0 && chance.next() < 0.8 ? chance.pick([...channels]) : place.id;
  const ephemeral = chance.next() < EPHEMERAL;
  const isUp = phone.isHere && !phone.isOut;
  const isAwaited = chance.next() < 0.5;
  const kind = chance.weighed(ACTS);
  switch (kind) {
    case 'say':
      return { act: { do: kind, channel: place.id, count: chance.between(1, 6), ephemeral } };
    case 'speak': {
      if (!phone.isHere) return undefined;
      const act = { phone: phone.name, channel, count: chance.between(1, 3), ephemeral };
      return { act: { do: kind, ...act, isAwaited: isAwaited && isUp } };
    }
    case 'whisper': {
      const to = chance.pick(['token', 'token', 'identity', 'connection'] as const);
      const other = `t${chance.between(0, lanes - 1)}.${chance.between(0, Math.floor(tokens / lanes) - 1)}`;
      const name = {
        token: other,
        connection: `${other}/0`,
        identity: `user-${chance.between(1, tokens / 2)}`,
      };
      return { act: { do: kind, to, name: name[to], ephemeral } };
    }
    case 'join': {
      if (channels.has(place.id) || channels.size > 8 || !mayHear(rule, place)) return undefined;
      channels.add(place.id);
      const isBySelf = place.type !== 'PRIVATE' && isUp && chance.next() < 0.3;
      return { act: { do: kind, token, channel: place.id, phone: isBySelf ? phone.name : undefined } };
    }
    case 'part': {
      if (channels.size === 0) return undefined;
      channels.delete(channel);
      const by = isUp && chance.next() < 0.3 ? phone.name : undefined;
      return { act: { do: kind, token, channel, phone: by } };
    }
    case 'cut':
      return phone.isHere ? { act: { do: kind, phone: phone.name, isAwaited } } : undefined;
    case 'outage': {
      if (!phone.isHere) return undefined;
      phone.isOut = !phone.isOut;
      return { act: { do: phone.isOut ? kind : 'mend', phone: phone.name, isAwaited } };
    }
    case 'leave': {
      if (!isUp) return undefined;
      phone.isHere = false;
      return { act: { do: kind, phone: phone.name, isAwaited } };
    }
    case 'return': {
      if (isUp) return undefined;
      const isBack = phone.isHere;
      phone.isHere = true;
      phone.isOut = false;
      return { act: { do: isBack ? 'mend' : kind, phone: phone.name, isAwaited } };
    }
    case 'change': {
      actor.rule = { role: chance.weighed(ROLES), grants: planGrants(chance) };
      return { act: { do: kind, token, ...actor.rule } };
    }
    case 'limit':
      return { act: { do: kind, token, seconds: chance.between(1, 3) } };
    case 'revoke':
      return { act: { do: kind, token }, revoked: actor };
    case 'patch': {
      const by = isUp && chance.next() < 0.4 ? phone.name : undefined;
      return { act: { do: kind, channel, count: chance.between(1, 4), phone: by } };
    }
    case 'ask':
      return { act: { do: kind, token } };
  }
}
