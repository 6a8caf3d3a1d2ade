import { type DialectName } from '../contender.ts';
import { graphql } from './dialects/graphql.ts';
import { plain } from './dialects/plain.ts';
import { socketIo } from './dialects/socket-io.ts';

/** Somebody who comes to a server: to subscribe, or with no operations to publish. */
export interface Guest {
  readonly connectionParams?: Readonly<Record<string, unknown>>;
  readonly operations: readonly Operation[];
}

export interface Operation {
  readonly id: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** What is published: `n` counts from 1 and is the last thing in the frame, `pad` makes the frame as long as it shall be. */
export interface Publication {
  readonly n: number;
  readonly pad: string;
  readonly channel: string;
}

/** How one kind of server is spoken to, in texts over a WebSocket. */
export interface Dialect {
  readonly subprotocol: string | undefined;
  /** What a guest says first. Undefined: nothing, and it waits for the server. */
  greet(guest: Guest): string | undefined;
  /** What a guest says to a text while it is joining; `isIn` once it has said all that makes it a subscriber. */
  reply(text: string, guest: Guest): { says: readonly string[]; isIn: boolean };
  /** Whether a guest is in as soon as the socket is open. */
  readonly isInAtOnce: boolean;
  publish(publication: Publication): string;
  /** Whether this answer to a publish says that it failed. */
  isRefusal(answer: string): boolean;
  /** What to answer to a short text that is no message, so that the server keeps the connection. */
  keepAlive(text: string): string | undefined;
}

export function dialectOf(name: DialectName): Dialect {
  switch (name) {
    case 'graphql':
      return graphql;
    case 'plain':
      return plain;
    case 'socket.io':
      return socketIo;
  }
}
