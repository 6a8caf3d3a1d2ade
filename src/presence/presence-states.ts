import { type Broker } from '../broker/broker.ts';
import { type Member } from '../broker/leases.ts';
import { decideAccess, type Access } from '../channels/access.ts';
import { type Connection } from '../connections/connection.ts';
import { forbidden, unauthenticated, type SignalboxError } from '../errors.ts';
import { type KeyedMutex } from '../keyed-mutex.ts';
import { parseJson } from '../names.ts';
import { Slices } from '../slices.ts';
import { type Caller } from '../tokens/caller.ts';

/** The presence states that connections set, and the channels that may show them. */
export interface PresenceStates extends Disposable {
  /**
   * Sets the presence state of a connection; see Presence.setState.
   * @throws FORBIDDEN, UNAUTHENTICATED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT
   */
  set(connection: Connection, state: unknown): Promise<Member>;
  /** Decides which of the channels, which the connection joins, show its presence state. */
  showIn(connection: Connection, channelIds: readonly string[]): Promise<void>;
}

export function createPresenceStates(deps: {
  broker: Broker;
  access: Access;
  maxBytes: number;
  /** The channels that a connection is in. */
  channelsOf: (connection: Connection) => string[];
  /** Whether a connection is in a channel. */
  isIn: (connection: Connection, channelId: string) => boolean;
  /** Announces UPDATED in the channels of the connection that `isAffected` selects. */
  announceUpdate: (connection: Connection, isAffected: (channelId: string) => boolean) => Promise<Member>;
  /** Orders the changes of one connection. */
  serialize: KeyedMutex;
  onFault: (error: unknown) => void;
}): PresenceStates {
  const { broker, access, maxBytes, channelsOf, isIn, announceUpdate, serialize, onFault } = deps;
  /** Connections that have set a presence state. Only these are reauthorized when rights change. */
  const withState = new Set<Connection>();
  const waiting = new Set<Connection>();

  /** Those of the channels in which the caller of the connection may PUBLISH, so that they may show its presence state. */
  async function findStateChannels(
    connection: Connection,
    channelIds: readonly string[] = channelsOf(connection),
  ): Promise<string[]> {
    connection.applyDue();
    const found: string[] = [];
    const slices = new Slices();
    for (const channelId of channelIds) {
      const channelAccess = await access.lookup(connection.caller, channelId);
      if (channelAccess && decideAccess(connection.caller, 'PUBLISH', channelAccess).allowed)
        found.push(channelId);
      if (slices.shouldYield()) await slices.nextTurn();
    }
    return found;
  }

  /** Shows the presence state in the channels in which the caller may PUBLISH now, and hides it in the others. */
  async function reauthorize(connection: Connection): Promise<void> {
    if (connection.closed !== undefined) return;
    const before = new Set(connection.stateChannels);
    connection.stateChannels = await findStateChannels(connection);
    const after = new Set(connection.stateChannels);
    const hasChanged = (channelId: string) => before.has(channelId) !== after.has(channelId);
    if (channelsOf(connection).some(hasChanged)) await announceUpdate(connection, hasChanged);
  }

  /** Many changes can come at once. One check that has not begun covers all of them. */
  function reauthorizeLater(connection: Connection): void {
    if (waiting.has(connection)) return;
    waiting.add(connection);
    serialize(connection.id, () => {
      waiting.delete(connection);
      return reauthorize(connection);
    }).catch(onFault);
  }

  function track(connection: Connection): void {
    if (withState.has(connection)) return;
    withState.add(connection);
    connection.onReauthorized = () => reauthorizeLater(connection);
    connection.onClose(() => void withState.delete(connection));
  }

  const channelUpdates = broker.listen({
    applySignal(signal) {
      if (signal.kind !== 'CHANNEL_UPDATED') return 0;
      for (const connection of withState) {
        if (connection.projectId === signal.projectId && isIn(connection, signal.channel.id))
          reauthorizeLater(connection);
      }
      return 0;
    },
  });

  return {
    async showIn(connection, channelIds) {
      const shown = await findStateChannels(connection, channelIds);
      const joined = new Set(channelIds);
      // Of those that the connection has left, nothing stays.
      const others = connection.stateChannels.filter((id) => isIn(connection, id) && !joined.has(id));
      connection.stateChannels = [...others, ...shown];
    },
    async set(connection, state) {
      const parsed = parseJson(state, maxBytes, 'state');
      return serialize(connection.id, async () => {
        const before = new Set(connection.stateChannels);
        const after = await findStateChannels(connection);
        if (parsed !== null && after.length === 0 && channelsOf(connection).length > 0)
          throw stateRefused(connection.caller);
        connection.presenceState = parsed;
        connection.stateChannels = after;
        track(connection);
        const shown = new Set(after);
        return announceUpdate(connection, (id) => before.has(id) || shown.has(id));
      });
    },
    [Symbol.dispose]: () => channelUpdates[Symbol.dispose](),
  };
}

/** The member as a channel shows it: without the presence state where the caller of the connection may not PUBLISH. */
export function asShownIn(channelId: string, member: Member): Member {
  if (member.state === null || member.stateChannels?.includes(channelId)) return member;
  return { ...member, state: null };
}

function stateRefused(caller: Caller): SignalboxError {
  const message = 'A presence state needs the action PUBLISH in at least one channel of the connection.';
  return caller.kind === 'ANONYMOUS' ? unauthenticated(message) : forbidden(message);
}
