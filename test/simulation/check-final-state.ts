import { mayReceive } from './entitlement.ts';
import { directAddressesOf, type RecordIndex, type Violation } from './record-index.ts';
import { type Address, type Message, type Channel, type Stream } from './record.ts';

/** Checks law 5, and the state of the service after all activity has ended. */
export function checkFinalState(index: RecordIndex): Violation[] {
  return [
    ...checkPresence(index),
    ...checkOnlineChecks(index),
    ...checkStates(index),
    ...index.record.streams.flatMap((stream) => checkKnownChannels(index, stream)),
    ...checkHistories(index),
  ];
}

/** The tokens that are online, and the presence counts of the channels, match the connected clients. */
export function checkPresence(index: RecordIndex): Violation[] {
  const { streams, tokens, finalState } = index.record;
  const { sent, returned } = finalState;
  const violations: Violation[] = [];
  const connected = streams.filter(({ isActive, ended }) => isActive && ended === undefined);
  const online = new Set(finalState.online);
  for (const { name, id } of tokens) {
    const isConnected = connected.some(({ token }) => token === name);
    // A token that expires during the query may be online or offline.
    const isSettled = index.entitlementOf(name).surely(({ ended }) => !ended, sent, returned);
    if (isConnected && !online.has(id) && isSettled)
      violations.push({ law: 5, description: `${name} is not online` });
    if (!isConnected && online.has(id)) violations.push({ law: 5, description: `${name} is still online` });
  }
  for (const { id, presence } of finalState.channels) {
    const receiving = connected.map(({ token }) => receivesAtEnd(index, token, index.channels.get(id)!));
    const surely = receiving.filter((isReceiving) => isReceiving === true).length;
    const possibly = surely + receiving.filter((isReceiving) => isReceiving === undefined).length;
    if (presence >= surely && presence <= possibly) continue;
    const description = `${id} has a presence count of ${presence}, but ${surely} to ${possibly} clients receive it`;
    violations.push({ law: 5, description });
  }
  return violations;
}

/**
 * During the simulation: a token was online if one of its clients was connected before the query and, in the same session,
 * received a message that was published after it.
 */
function checkOnlineChecks(index: RecordIndex): Violation[] {
  const { onlineChecks, streams } = index.record;
  return onlineChecks.flatMap(({ token, online, sent, returned }) => {
    const isConnected = streams.some(
      (stream) =>
        stream.token === token &&
        index
          .deliveriesOf(stream)
          .some(({ session, attempt }) => session.connected! < sent && attempt && attempt.sent > returned),
    );
    return isConnected && !online
      ? { law: 5, description: `${token} was not online while it was connected` }
      : [];
  });
}

/** Every acknowledged patch is in the state, and each created a version of its own. */
function checkStates({ record }: RecordIndex): Violation[] {
  return record.patches.flatMap(({ channel, key, version }) => {
    const now = record.finalState.channels.find(({ id }) => id === channel);
    const isSame = record.patches.some((other) => {
      return other.channel === channel && other.version === version && other.key !== key;
    });
    if (isSame) return { law: 3 as const, description: `${channel} has two patches of version ${version}` };
    if (!now || !(key in now.state) || now.version < version) {
      return { law: 3 as const, description: `${channel} has lost “${key}”` };
    }
    return [];
  });
}

/** A client knows at the end which channels it receives, and the version of their state, from its events alone. */
function checkKnownChannels(index: RecordIndex, stream: Stream): Violation[] {
  if (!stream.isActive || stream.ended !== undefined) return [];
  const versions = knownChannels(stream);
  return index.record.finalState.channels.flatMap(({ id, version }) => {
    const isReceiving = receivesAtEnd(index, stream.token, index.channels.get(id)!);
    const known = versions.get(id);
    if (isReceiving === true && known === undefined)
      return { law: 4 as const, description: `${stream.name} has no event for gaining ${id}` };
    if (isReceiving === false && known !== undefined)
      return { law: 4 as const, description: `${stream.name} has no event for losing ${id}` };
    if (known !== undefined && known !== version) {
      return {
        law: 4 as const,
        description: `${stream.name} knows version ${known} of ${id}, which has ${version}`,
      };
    }
    return [];
  });
}

/** The log has every acknowledged message, no refused one, and one unbroken chain per address. */
function checkHistories(index: RecordIndex): Violation[] {
  const { histories, directMessages } = index.record.finalState;
  return [
    ...histories.flatMap(({ id, messages }) => checkHistory(index, [`channel:${id}`], messages)),
    ...directMessages.flatMap(({ token, messages }) =>
      checkHistory(index, directAddressesOf(index.tokens.get(token)!), messages),
    ),
  ];
}

function checkHistory(index: RecordIndex, addresses: Address[], messages: readonly Message[]): Violation[] {
  const violations: Violation[] = [];
  const where = addresses.join(' and ');
  const kept = new Set(messages.map(({ data }) => data.text));
  if (kept.size !== messages.length) violations.push({ law: 2, description: `${where} has a message twice` });
  for (const { text, outcome, ephemeral } of addresses.flatMap((address) => index.attemptsTo(address))) {
    if (outcome === 'KEPT' && !ephemeral && !kept.has(text))
      violations.push({ law: 3, description: `“${text}” to ${where} was not kept` });
    if ((outcome === 'REFUSED' || ephemeral) && kept.has(text))
      violations.push({ law: 1, description: `“${text}” to ${where} was kept` });
  }
  const last = new Map<Address, string | null>();
  for (const { data, cursor, previous } of messages) {
    const attempt = index.attempt(data.text);
    if (!attempt || !addresses.includes(attempt.to))
      violations.push({ law: 1, description: `“${data.text}” is kept at ${where}` });
    else if (previous !== (last.get(attempt.to) ?? null))
      violations.push({ law: 2, description: `The chain of ${where} breaks before “${data.text}”` });
    if (attempt) last.set(attempt.to, cursor);
  }
  return violations;
}

/** The channels that the client receives at the end according to its events, with their versions. */
function knownChannels({ received }: Stream): Map<string, number> {
  const receiving = new Map<string, number>();
  for (const { event } of received) {
    if (event.__typename === 'Connected') receiving.clear();
    if (event.__typename === 'Connected')
      for (const { id, version } of event.channels) receiving.set(id, version);
    else if ('channel' in event) {
      if (event.__typename === 'ChannelUnavailable') receiving.delete(event.channel.id);
      else receiving.set(event.channel.id, event.channel.version);
    }
  }
  return receiving;
}

/** Whether a token receives the messages of a channel at the end; undefined if the record does not tell. */
function receivesAtEnd(index: RecordIndex, token: string, channel: Channel): boolean | undefined {
  const { sent, returned } = index.record.finalState;
  const entitlement = index.entitlementOf(token);
  if (entitlement.surelyReceives(channel, sent, returned)) return true;
  const could =
    entitlement.couldBeMember(channel, sent, returned) &&
    entitlement.could((period) => mayReceive(period, channel), sent, returned);
  return could ? undefined : false;
}
