import { REVOKES_ACCESS, errorOf } from '../connections/close-reason.ts';
import { type Connection } from '../connections/connection.ts';
import { type Sender } from '../broker/message.ts';
import { isSentBy } from '../messages/sender.ts';
import { type Context, type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';
import { type AcknowledgedSession } from './websocket-session.ts';

/** The GraphQL context of one operation of a WebSocket session. */
export class Operation implements Context {
  readonly domain: Domain;
  readonly id: string;
  readonly session: AcknowledgedSession;

  constructor(domain: Domain, id: string, session: AcknowledgedSession) {
    this.domain = domain;
    this.id = id;
    this.session = session;
  }

  /**
   * The current caller. Evaluated on every access, because the token and its grants can change or end during an operation.
   * @throws TOKEN_EXPIRED, TOKEN_REVOKED or UNAUTHENTICATED when the connection has closed for that reason
   */
  get caller(): Caller {
    this.connection.applyDue();
    const { closed, caller } = this.connection;
    const error = closed !== undefined && REVOKES_ACCESS.has(closed) ? errorOf(closed) : undefined;
    if (error) throw error;
    return caller;
  }

  /** Signals keep the caller current. */
  get rightsAsOf(): undefined {
    return undefined;
  }

  get connection(): Connection {
    return this.session.connection;
  }

  get address(): string {
    return this.session.address;
  }

  isSender(sender: Sender): boolean {
    return isSentBy(sender, this.caller);
  }

  connect(): Promise<Connection> {
    return Promise.resolve(this.connection);
  }
}
