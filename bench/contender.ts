/** The protocol between the clients and a server: see `load/protocol.ts`. */
export type ProtocolName = 'graphql' | 'plain' | 'socket.io';

/** Everything that the load generator needs to know about a running server. Plain data, since it is sent to another process. */
export interface Endpoint {
  readonly port: number;
  /** The first process of the server. Its child processes are measured as well. */
  readonly pid: number;
  readonly protocol: ProtocolName;
  /** URL paths of the WebSocket upgrades. */
  readonly subscribePath: string;
  readonly publishPath: string;
  /** The operation ids of the clients: `shared` if all clients number their operations, `unique` for a UUID each. */
  readonly operationIds: 'shared' | 'unique';
  /** All nodes, if there are several on one database; the first one is `port` and `pid`. */
  readonly nodes?: readonly Node[];
  /** Set only for Signalbox: the API key that creates channels and mints tokens. */
  readonly apiKey?: string;
}

/** One process of a service of several. */
export interface Node {
  readonly port: number;
  readonly pid: number;
}

/** A running server on a free port, with temporary data. Disposing stops it. */
export interface RunningServer extends AsyncDisposable {
  readonly endpoint: Endpoint;
}

/** A server that takes part in the comparison. */
export interface Contender {
  /** The name for `--contenders`. */
  readonly name: string;
  /** The name in charts and tables. */
  readonly label: string;
  /** Why the contender cannot run on this machine, in one sentence; undefined if it can. */
  missing?(): string | undefined;
  /** @param env additional environment variables of the scenario. */
  start(env?: Readonly<Record<string, string>>): Promise<RunningServer>;
}
