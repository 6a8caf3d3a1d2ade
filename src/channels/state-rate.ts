import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { RateLimit } from '../rate-limit.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Channel } from './channel.ts';

/** Limits changes of channel state per token and per channel, because every change is delivered to all subscribers. */
export function createStateRate(
  clock: Clock,
  config: Pick<Config, 'stateChangesPerSecondPerToken' | 'stateChangesPerSecondPerChannel'>,
) {
  const perToken = new RateLimit(
    clock,
    config.stateChangesPerSecondPerToken,
    'changes of state by this token',
  );
  const perChannel = new RateLimit(
    clock,
    config.stateChangesPerSecondPerChannel,
    'changes of the state of this channel',
  );
  return {
    /** Called before any lookup, so that refused changes count too. @throws RATE_LIMITED */
    takeOfCaller(caller: Caller): void {
      if (caller.kind === 'TOKEN') perToken.take(caller.token.id);
    },
    /** Called after authorization, so that unauthorized callers do not use up the limit. @throws RATE_LIMITED */
    takeOfChannel({ projectId, id }: Channel): void {
      perChannel.take(`${projectId}\n${id}`);
    },
  };
}
