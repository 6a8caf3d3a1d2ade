/** How the clients of a server speak: see `load/dialect.ts`. */
export type DialectName = 'graphql' | 'plain' | 'socket.io';

/** All that the load generator needs to know of a running server; plain data, it crosses a process boundary. */
export interface Endpoint {
  readonly port: number;
  /** The server's first process; its children count as the server too. */
  readonly pid: number;
  readonly dialect: DialectName;
  /** HTTP paths of the upgrades. */
  readonly subscribePath: string;
  readonly publishPath: string;
  /** The operation ids of the clients: all the same, like clients that count, or one UUID each. */
  readonly operationIds: 'shared' | 'unique';
  /** With one, the server is Signalbox: channels are made and tokens minted with it. */
  readonly apiKey?: string;
}

/** A server that runs until it is disposed of, with a free port and temporary data of its own. */
export interface RunningServer extends AsyncDisposable {
  readonly endpoint: Endpoint;
}

/** One of those that are compared. */
export interface Contender {
  /** What `--contenders` calls it. */
  readonly name: string;
  /** What pictures and tables call it. */
  readonly label: string;
  /** Why it cannot take part on this machine, in a sentence; undefined when it can. */
  missing?(): string | undefined;
  /** @param env what one scenario sets besides. */
  start(env?: Readonly<Record<string, string>>): Promise<RunningServer>;
}
