import { createHash } from 'node:crypto';
import { type Clock } from '../clock.ts';
import { limitExceeded, unauthenticated, unavailable } from '../errors.ts';
import { type RandomBytes } from '../ids.ts';
import { type Authenticate } from './authenticate.ts';
import { type Caller } from './caller.ts';

/** How long a ticket can be used, in seconds. */
export const STREAM_TICKET_SECONDS = 60;
/** Unused tickets that a token may have. */
export const MAX_TICKETS_PER_TOKEN = 20;
/** Unused tickets of all tokens together. */
const MAX_TICKETS = 100_000;

export interface StreamTicket {
  /** `ticket_` and 43 letters, digits, `-` and `_`. */
  ticket: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/**
 * Tickets for clients that cannot send an Authorization header, such as the EventSource of browsers. A ticket opens one event
 * stream as the token that asked for it, once, within STREAM_TICKET_SECONDS. So a URL that is kept in a log opens nothing.
 */
export interface StreamTickets {
  /**
   * Creates a ticket. It is valid on this node only.
   * @throws UNAUTHENTICATED unless the caller is a token
   * @throws LIMIT_EXCEEDED when the token has MAX_TICKETS_PER_TOKEN unused tickets
   * @throws UNAVAILABLE when the service has too many unused tickets
   */
  create(caller: Caller): StreamTicket;
  /**
   * Uses a ticket up. The caller has the rights that its token has now.
   * @throws UNAUTHENTICATED when the ticket is unknown, was used or has expired
   * @throws TOKEN_EXPIRED, TOKEN_REVOKED when the access of the token has ended
   */
  redeem(ticket: string): Promise<Caller>;
}

interface Entry {
  caller: Caller;
  tokenId: string;
  /** On the monotonic clock, in milliseconds. */
  endsAt: number;
}

export function createStreamTickets({
  authenticate,
  clock,
  randomBytes,
}: {
  authenticate: Authenticate;
  clock: Clock;
  randomBytes: RandomBytes;
}): StreamTickets {
  /** By the hash of the ticket, oldest first. All tickets live equally long, so they also expire in this order. */
  const entries = new Map<string, Entry>();
  const countByToken = new Map<string, number>();

  function take(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (!entry) return undefined;
    entries.delete(key);
    const count = (countByToken.get(entry.tokenId) ?? 0) - 1;
    if (count > 0) countByToken.set(entry.tokenId, count);
    else countByToken.delete(entry.tokenId);
    return entry;
  }

  function removeExpired(): void {
    for (const [key, { endsAt }] of entries) {
      if (clock.monotonic() < endsAt) return;
      take(key);
    }
  }

  return {
    create(caller) {
      if (caller.kind === 'ANONYMOUS')
        throw unauthenticated('No credential was sent, and anonymous callers need no ticket.');
      if (caller.kind === 'API_KEY')
        throw unauthenticated('A ticket requires a token. Send the API key in the Authorization header.');
      removeExpired();
      const { id: tokenId } = caller.token;
      const count = countByToken.get(tokenId) ?? 0;
      if (count >= MAX_TICKETS_PER_TOKEN) {
        const limit = MAX_TICKETS_PER_TOKEN;
        throw limitExceeded(limit, `A token may have at most ${limit} unused tickets.`);
      }
      if (entries.size >= MAX_TICKETS)
        throw unavailable('The service has too many unused tickets. Try again in a minute.');
      const ticket = `ticket_${Buffer.from(randomBytes(TICKET_BYTES)).toString('base64url')}`;
      const lifetimeMs = STREAM_TICKET_SECONDS * 1000;
      entries.set(hashOf(ticket), { caller, tokenId, endsAt: clock.monotonic() + lifetimeMs });
      countByToken.set(tokenId, count + 1);
      return { ticket, expiresAt: clock.now() + lifetimeMs };
    },
    async redeem(ticket) {
      const entry = take(hashOf(ticket));
      if (!entry || clock.monotonic() >= entry.endsAt)
        throw unauthenticated('The ticket is unknown, was used already or has expired. Request another one.');
      return authenticate.refresh(entry.caller);
    },
  };
}

const TICKET_BYTES = 32;

/** The service holds no ticket that could be used. */
const hashOf = (ticket: string) => createHash('sha256').update(ticket).digest('base64url');
