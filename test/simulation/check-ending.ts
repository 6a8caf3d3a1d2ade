import { mayHear } from './entitlement.ts';
import { mailboxesOf, type Facts, type Violation } from './facts.ts';
import { type Address, type Message, type Place, type Stream } from './record.ts';

/** Law 5, and what all must have come to when everyone is at rest. */
export function checkEnding(facts: Facts): Violation[] {
  return [
    ...checkPresence(facts),
    ...checkAsked(facts),
    ...checkStates(facts),
    ...facts.evening.streams.flatMap((stream) => checkBeliefs(facts, stream)),
    ...checkHistories(facts),
  ];
}

/** Who is online, and how many are in each channel, is who is connected. */
export function checkPresence(facts: Facts): Violation[] {
  const { streams, bearers, ending } = facts.evening;
  const { sent, returned } = ending;
  const violations: Violation[] = [];
  const here = streams.filter(({ isHere, ended }) => isHere && ended === undefined);
  const online = new Set(ending.online);
  for (const { name, id } of bearers) {
    const isHere = here.some(({ bearer }) => bearer === name);
    // One that expires while it is asked for may be either.
    const isSettled = facts.entitlementOf(name).surely(({ ended }) => !ended, sent, returned);
    if (isHere && !online.has(id) && isSettled) violations.push({ law: 5, what: `${name} is not online` });
    if (!isHere && online.has(id)) violations.push({ law: 5, what: `${name} is still online` });
  }
  for (const { id, presence } of ending.channels) {
    const heard = here.map(({ bearer }) => heardAtEnd(facts, bearer, facts.places.get(id)!));
    const surely = heard.filter((isHeard) => isHeard === true).length;
    const possibly = surely + heard.filter((isHeard) => isHeard === undefined).length;
    if (presence >= surely && presence <= possibly) continue;
    const what = `${id} counts ${presence} present, but ${surely} to ${possibly} hear it`;
    violations.push({ law: 5, what });
  }
  return violations;
}

/** On the way: whoever was connected before it was asked, and saw in the same session what was said after, was online. */
function checkAsked(facts: Facts): Violation[] {
  const { asked, streams } = facts.evening;
  return asked.flatMap(({ bearer, online, sent, returned }) => {
    const isHere = streams.some(
      (stream) =>
        stream.bearer === bearer &&
        facts
          .sightsOf(stream)
          .some(({ session, said }) => session.connected! < sent && said && said.sent > returned),
    );
    return isHere && !online ? { law: 5, what: `${bearer} was not online while it was connected` } : [];
  });
}

/** Every patch counts, and each made a version of its own. */
function checkStates({ evening }: Facts): Violation[] {
  return evening.patches.flatMap(({ channel, key, version }) => {
    const now = evening.ending.channels.find(({ id }) => id === channel);
    const isSame = evening.patches.some((other) => {
      return other.channel === channel && other.version === version && other.key !== key;
    });
    if (isSame) return { law: 3 as const, what: `${channel} has two changes of version ${version}` };
    if (!now || !(key in now.state) || now.version < version) {
      return { law: 3 as const, what: `${channel} has lost “${key}”` };
    }
    return [];
  });
}

/** Whoever follows the events knows at the end which channels it hears, and their state. */
function checkBeliefs(facts: Facts, stream: Stream): Violation[] {
  if (!stream.isHere || stream.ended !== undefined) return [];
  const believed = believedChannels(stream);
  return facts.evening.ending.channels.flatMap(({ id, version }) => {
    const isHeard = heardAtEnd(facts, stream.bearer, facts.places.get(id)!);
    const known = believed.get(id);
    if (isHeard === true && known === undefined)
      return { law: 4 as const, what: `${stream.name} was not told that it hears ${id}` };
    if (isHeard === false && known !== undefined)
      return { law: 4 as const, what: `${stream.name} was not told that it no longer hears ${id}` };
    if (known !== undefined && known !== version) {
      return {
        law: 4 as const,
        what: `${stream.name} knows version ${known} of ${id}, which has ${version}`,
      };
    }
    return [];
  });
}

/** What is read back is what was acknowledged, in one chain, with nothing that was refused. */
function checkHistories(facts: Facts): Violation[] {
  const { histories, mail } = facts.evening.ending;
  return [
    ...histories.flatMap(({ id, messages }) => checkHistory(facts, [`channel:${id}`], messages)),
    ...mail.flatMap(({ bearer, messages }) =>
      checkHistory(facts, mailboxesOf(facts.bearers.get(bearer)!), messages),
    ),
  ];
}

function checkHistory(facts: Facts, addresses: Address[], messages: readonly Message[]): Violation[] {
  const violations: Violation[] = [];
  const where = addresses.join(' and ');
  const kept = new Set(messages.map(({ data }) => data.text));
  if (kept.size !== messages.length) violations.push({ law: 2, what: `${where} has a message twice` });
  for (const { text, outcome, ephemeral } of addresses.flatMap((address) => facts.saidTo(address))) {
    if (outcome === 'KEPT' && !ephemeral && !kept.has(text))
      violations.push({ law: 3, what: `“${text}” to ${where} was not kept` });
    if ((outcome === 'REFUSED' || ephemeral) && kept.has(text))
      violations.push({ law: 1, what: `“${text}” to ${where} was kept` });
  }
  const last = new Map<Address, string | null>();
  for (const { data, cursor, previous } of messages) {
    const said = facts.said(data.text);
    if (!said || !addresses.includes(said.to))
      violations.push({ law: 1, what: `“${data.text}” is kept at ${where}` });
    else if (previous !== (last.get(said.to) ?? null))
      violations.push({ law: 2, what: `The chain of ${where} breaks before “${data.text}”` });
    if (said) last.set(said.to, cursor);
  }
  return violations;
}

/** The channels that whoever follows the events believes to hear at the end, with their versions. */
function believedChannels({ seen }: Stream): Map<string, number> {
  const heard = new Map<string, number>();
  for (const { event } of seen) {
    if (event.__typename === 'Connected') heard.clear();
    if (event.__typename === 'Connected')
      for (const { id, version } of event.channels) heard.set(id, version);
    else if ('channel' in event) {
      if (event.__typename === 'ChannelUnavailable') heard.delete(event.channel.id);
      else heard.set(event.channel.id, event.channel.version);
    }
  }
  return heard;
}

/** The channels that a bearer must hear when nothing changes any more; undefined where that cannot be known. */
function heardAtEnd(facts: Facts, bearer: string, place: Place): boolean | undefined {
  const { sent, returned } = facts.evening.ending;
  const entitlement = facts.entitlementOf(bearer);
  if (entitlement.surelyHears(place, sent, returned)) return true;
  const could =
    entitlement.couldBeMember(place, sent, returned) &&
    entitlement.could((regime) => mayHear(regime, place), sent, returned);
  return could ? undefined : false;
}
