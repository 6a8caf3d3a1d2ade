import { REVOKES_ACCESS, errorOf, type Connection } from '../connections/connection.ts';
import { type Context, type Domain } from '../schema/context.ts';
import { type Caller } from '../tokens/caller.ts';
import { type Receiver } from './fan-out.ts';

/** A context that also knows which operation of which socket it is for. */
export class Operation implements Context {
  readonly domain: Domain;
  readonly operationId: string;
  readonly receiver: Receiver;

  constructor(domain: Domain, operationId: string, receiver: Receiver) {
    this.domain = domain;
    this.operationId = operationId;
    this.receiver = receiver;
  }

  /** Evaluated at every use: an operation may outlive the token and the grants that it began with. */
  get caller(): Caller {
    this.connection.applyDue();
    const { closed, caller } = this.connection;
    const error = closed !== undefined && REVOKES_ACCESS.has(closed) ? errorOf(closed) : undefined;
    if (error) throw error;
    return caller;
  }

  get connection(): Connection {
    return this.receiver.connection;
  }

  get address(): string {
    return this.receiver.address;
  }

  connect(): Promise<Connection> {
    return Promise.resolve(this.connection);
  }
}
