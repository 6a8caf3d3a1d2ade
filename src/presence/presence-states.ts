import { type Broker } from '../broker/broker.ts';
import { type Member } from '../broker/leases.ts';
import { decideAccess, type Access } from '../channels/access.ts';
import { type Connection } from '../connections/connection.ts';
import { forbidden, unauthenticated, type SignalboxError } from '../errors.ts';
import { type KeyedMutex } from '../keyed-mutex.ts';
import { parseJson } from '../names.ts';
import { type Caller } from '../tokens/caller.ts';

/** The presence states that connections set, and the channels that may show them. */
export interface PresenceStates extends Disposable {
  /**
   * Sets the presence state of a connection; see Presence.setState.
   * @throws FORBIDDEN, UNAUTHENTICATED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT
   */
  set(connection: Connection, state: unknown): Promise<Member>;
  /** The channels of the connection in which its caller may PUBLISH, so that they may show its presence state. */
  findStateChannels(connection: Connection): Promise<string[]>;
}

export function createPresenceStates(deps: {
  broker: Broker;
  access: Access;
  maxBytes: number;
  /** The channels that a connection is in. */
  channelsOf: (connection: Connection) => string[];
  /** Announces UPDATED in the channels of the connection that `isAffected` selects. */
  announceUpdate: (connection: Connection, isAffected: (channelId: string) => boolean) => Promise<Member>;
  /** Orders the changes of one connection. */
  serialize: KeyedMutex;
  onFault: (error: unknown) => void;
}): PresenceStates {
  const { broker, access, maxBytes, channelsOf, announceUpdate, serialize, onFault } = deps;
  /** Connections that have set a presence state. Only these are reauthorized when rights change. */
  const withState = new Set<Connection>();

  async function findStateChannels(connection: Connection): Promise<string[]> {
    connection.applyDue();
    const found: string[] = [];
    for (const channelId of channelsOf(connection)) {
      const channelAccess = await access.lookup(connection.caller, channelId);
      if (channelAccess && decideAccess(connection.caller, 'PUBLISH', channelAccess).allowed)
        found.push(channelId);
    }
    return found;
  }

  /** Shows the presence state in the channels in which the caller may PUBLISH now, and hides it in the others. */
  async function reauthorize(connection: Connection): Promise<void> {
    if (connection.closed !== undefined) return;
    const before = connection.stateChannels;
    const after = await findStateChannels(connection);
    connection.stateChannels = after;
    const hasChanged = (channelId: string) => before.includes(channelId) !== after.includes(channelId);
    if (channelsOf(connection).some(hasChanged)) await announceUpdate(connection, hasChanged);
  }

  function reauthorizeLater(connection: Connection): void {
    serialize(connection.id, () => reauthorize(connection)).catch(onFault);
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
        if (connection.projectId === signal.projectId && channelsOf(connection).includes(signal.channel.id))
          reauthorizeLater(connection);
      }
      return 0;
    },
  });

  return {
    findStateChannels,
    async set(connection, state) {
      const parsed = parseJson(state, maxBytes, 'state');
      return serialize(connection.id, async () => {
        const before = connection.stateChannels;
        const after = await findStateChannels(connection);
        if (parsed !== null && after.length === 0 && channelsOf(connection).length > 0)
          throw stateRefused(connection.caller);
        connection.presenceState = parsed;
        connection.stateChannels = after;
        track(connection);
        return announceUpdate(connection, (id) => before.includes(id) || after.includes(id));
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
