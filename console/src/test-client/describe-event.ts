import { shortJson } from '../parts/json.ts';
import { type TestEvent } from './use-test-client.ts';

/** One line that says what a client received. */
export function describeEvent(event: TestEvent): string {
  switch (event.__typename) {
    case 'Connected':
      return `Connected as ${event.connection.id}; channels: ${event.channels.map(({ id }) => id).join(', ') || 'none'}`;
    case 'ChannelMessage':
      return `${event.message.channel ?? ''} · ${event.message.event} ${shortJson(event.message.data)}`;
    case 'DirectMessage':
      return `Direct · ${event.message.event} ${shortJson(event.message.data)}`;
    case 'ChannelAvailable':
      return `Subscribed to ${event.channel.id}`;
    case 'ChannelUnavailable':
      return `No longer receives ${event.channel.id}: ${event.reason}`;
    case 'ChannelStateUpdated':
      return `The state of ${event.channel.id} changed`;
    case 'TokenExpiring':
      return `The token expires at ${event.expiresAt}`;
    case 'Gap':
      return `Messages were missed: ${event.reason}`;
    case 'Restricted':
      return `${event.restriction.kind} in ${event.restriction.channel ?? 'all channels'}: ${event.restriction.reason ?? 'no reason given'}`;
    case 'RestrictionLifted':
      return `Lifted: ${event.restriction.kind} in ${event.restriction.channel ?? 'all channels'}`;
    case 'PresenceChanged':
      return `${event.presence.member.identity ?? event.presence.member.id} ${event.presence.change} ${event.presence.channel}`;
    case 'Disconnecting':
      return `The service closes the connection: ${event.reason}${event.note === null ? '' : ` (${event.note})`}`;
    case 'TokenUpdated':
      return 'The token was changed';
  }
}
