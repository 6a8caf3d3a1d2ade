import { actorOf, type Caller } from '../tokens/caller.ts';
import { type Audit } from '../audit.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { notFound, SignalboxError } from '../errors.ts';
import { parseJson, type Json } from '../names.ts';
import { asReadBy, type Access } from './access.ts';
import { type createChannelStore } from './channel-store.ts';
import { requireState, type AnnounceChannel, type Channel } from './channel.ts';
import { mergePatch } from './merge-patch.ts';
import { createStateRate } from './state-rate.ts';

/** Changes of the state of a channel. */
export interface StateChanges {
  /**
   * Replaces the state. For callers that may MODERATE the channel. Resolves to the channel without its state if the caller
   * may not SUBSCRIBE to it.
   * @throws RATE_LIMITED, CONFLICT when `ifVersion` is given and is not the current version
   * @throws PAYLOAD_TOO_LARGE, BAD_USER_INPUT; also the errors of Access.require
   */
  setState(caller: Caller, id: string, state: unknown, ifVersion?: number): Promise<Channel>;
  /**
   * Applies a merge patch (RFC 7396) to the state. Retries when another node changes the state meanwhile, unless
   * `ifVersion` is given. For callers that may MODERATE the channel. Resolves to the channel without its state if the caller
   * may not SUBSCRIBE to it.
   * @throws RATE_LIMITED, CONFLICT when `ifVersion` is not the current version, or every retry met a concurrent change
   * @throws PAYLOAD_TOO_LARGE, BAD_USER_INPUT, UNAVAILABLE when the stored state is damaged; also the errors of Access.require
   */
  patchState(caller: Caller, id: string, patch: unknown, ifVersion?: number): Promise<Channel>;
}

/** Attempts before a patch fails with CONFLICT. An attempt fails when another node changes the state meanwhile. */
const MAX_PATCH_ATTEMPTS = 20;

export function createStateChanges(deps: {
  rows: ReturnType<typeof createChannelStore>;
  access: Access;
  /** See Channels.serialize. */
  serialize: <T>(projectId: string, id: string, work: () => Promise<T>) => Promise<T>;
  clock: Clock;
  config: Config;
  announce: AnnounceChannel;
  audit: Audit;
}): StateChanges {
  const { rows, access, serialize, clock, config, announce, audit } = deps;
  const stateRate = createStateRate(clock, config);

  async function saveState(before: Channel, state: Json, ifVersion?: number): Promise<Channel | undefined> {
    const { projectId, id } = before;
    const { result } = await announce(
      rows.setState(projectId, id, parseJson(state, config.maxStateBytes, 'state'), ifVersion),
      (channel) => channel && { kind: 'CHANNEL_STATE_UPDATED', projectId, channel },
    );
    // The next attempt must read what another node has written.
    if (!result) rows.invalidate(projectId, id);
    return result;
  }

  /** Audits state changes by tokens only: they are acts of moderation, while those of backends are routine and frequent. */
  function auditState(caller: Caller, id: string): void {
    if (caller.kind !== 'TOKEN') return;
    audit({ action: 'channel.state', projectId: caller.projectId, actor: actorOf(caller), subject: id });
  }

  async function conflict(caller: Caller, id: string): Promise<SignalboxError> {
    const current = await rows.find(caller.projectId, id);
    if (!current) return notFound('channel', id);
    const { version } = current;
    const message = `The state of the channel “${id}” is at version ${version}; read it again and retry.`;
    return new SignalboxError('CONFLICT', message, { version });
  }

  return {
    setState(caller, id, state, ifVersion) {
      stateRate.takeOfCaller(caller);
      return serialize(caller.projectId, id, async () => {
        const channelAccess = await access.require(caller, 'MODERATE', id, 'CHANNELS');
        stateRate.takeOfChannel(channelAccess.channel);
        const saved = await saveState(channelAccess.channel, state as Json, ifVersion);
        if (!saved) throw await conflict(caller, id);
        auditState(caller, id);
        return asReadBy(caller, { ...channelAccess, channel: saved });
      });
    },
    patchState(caller, id, patch, ifVersion) {
      stateRate.takeOfCaller(caller);
      return serialize(caller.projectId, id, async () => {
        stateRate.takeOfChannel((await access.require(caller, 'MODERATE', id, 'CHANNELS')).channel);
        for (let attempt = 0; attempt < MAX_PATCH_ATTEMPTS; attempt++) {
          const channelAccess = await access.require(caller, 'MODERATE', id, 'CHANNELS');
          const { channel } = channelAccess;
          if (ifVersion !== undefined && ifVersion !== channel.version) break;
          const patched = mergePatch(requireState(channel), parseJson(patch, config.maxStateBytes, 'patch'));
          const saved = await saveState(channel, patched, channel.version);
          if (saved) {
            auditState(caller, id);
            return asReadBy(caller, { ...channelAccess, channel: saved });
          }
        }
        throw await conflict(caller, id);
      });
    },
  };
}
