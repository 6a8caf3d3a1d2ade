import pg from 'pg';
import { DATABASE_URL_ENV } from '../config.ts';
import { SignalboxError } from '../errors.ts';

/** The longest wait for a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;
/** The longest wait of a statement for a lock, and its longest duration, in milliseconds. */
const LOCK_TIMEOUT_MS = 5000;
const STATEMENT_TIMEOUT_MS = 10_000;
/**
 * The longest wait of the pool for an answer, in milliseconds. Longer than the limits of the server, which say that the statement took no
 * effect: only a dead network, or a server that hangs, exceeds it.
 */
export const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 2000;

const KEEP_ALIVE_DELAY_MS = 5000;

/** The options of every connection of a node. */
export function connectionOptions(url: string, nodeId: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: `signalbox:${nodeId}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    types: { getTypeParser: parserOf },
  };
}

/** A statement, and not parameters of the connection: a pooler refuses a connection with parameters that it does not know. */
const SET_TIMEOUTS = `SELECT ${Object.entries({
  lock_timeout: LOCK_TIMEOUT_MS,
  statement_timeout: STATEMENT_TIMEOUT_MS,
  idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
})
  .map(([name, ms]) => `set_config('${name}', '${ms}', false)`)
  .join()}`;

/** A connection whose statements and transactions have time limits. */
export class LimitedClient extends pg.Client {
  constructor(options?: pg.ClientConfig) {
    super(options);
    ignoreErrors(this);
  }

  override connect(): Promise<this>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<this> | void {
    const connecting = this.#connectAndLimit();
    if (!callback) return connecting;
    // Pools call it like this, and end the connection when `connectionTimeoutMillis` is over.
    connecting.then(() => callback(null as unknown as Error), callback);
  }

  async #connectAndLimit(): Promise<this> {
    await super.connect();
    try {
      await this.query(SET_TIMEOUTS);
    } catch (error) {
      this.end().catch(() => undefined);
      throw error;
    }
    return this;
  }
}

/** An error of an idle connection ends the process if nothing listens; users of the connection notice its end. */
function ignoreErrors(client: pg.Client): void {
  client.on('error', () => undefined);
}

const INT8 = 20;
const JSON_TYPE = 114;

/** Sequences and moments are below 2^53. JSON stays text, because the columns of the tables parse it. */
function parserOf(type: number): (text: string) => unknown {
  if (type === INT8) return Number;
  if (type === JSON_TYPE) return (text) => text;
  return parsers.getTypeParser(type);
}

const parsers: { getTypeParser(type: number): (text: string) => unknown } = pg.types;

/**
 * Opens a connection outside of the pool, without time limits.
 * @throws UNAVAILABLE, with a sentence for the operator, when the database cannot be used
 */
export async function connect(url: string, nodeId: string): Promise<pg.Client> {
  try {
    const client = new pg.Client(connectionOptions(url, nodeId));
    ignoreErrors(client);
    await client.connect();
    return client;
  } catch (error) {
    throw connectionError(url, error);
  }
}

/** Why the database cannot be used, and what an operator can do. Never names the password. */
export function connectionError(url: string, cause: unknown): SignalboxError {
  if (cause instanceof SignalboxError) return cause;
  const { code = '', message = String(cause) } = cause as { code?: string; message?: string };
  const { place, user, database } = describe(url);
  const sentence = (() => {
    if (code === '28P01')
      return `refuses the user “${user}” or its password. Correct both in ${DATABASE_URL_ENV}.`;
    if (code.startsWith('28'))
      return `refuses the user “${user}”. Check pg_hba.conf and ${DATABASE_URL_ENV}.`;
    if (code === '3D000') return `has no database “${database}”. Create it: createdb ${database}`;
    if (code === '53300') return 'has no connection left. Raise max_connections, or end other clients.';
    if (code === '42501')
      return `does not let the user “${user}” create tables. Make it the owner of the database “${database}”.`;
    if (code === 'ECONNREFUSED' || code === 'ENOENT')
      return `does not accept connections. Start it, or correct ${DATABASE_URL_ENV}.`;
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      return `is not found: its name has no address. Correct ${DATABASE_URL_ENV}.`;
    if (/timeout/i.test(message) || code === 'ETIMEDOUT')
      return `does not answer. Check the network, or correct ${DATABASE_URL_ENV}.`;
    return `cannot be used: ${message}${code && ` (${code})`}.`;
  })();
  // The error of the driver is no cause here: the log would show its fields.
  return new SignalboxError('UNAVAILABLE', `PostgreSQL at ${place} ${sentence}`);
}

function describe(url: string) {
  const { hostname, port, username, pathname, searchParams } = new URL(url);
  return {
    place: `${searchParams.get('host') ?? (hostname || 'localhost')}:${port || '5432'}`,
    user: decodeURIComponent(username) || 'the default user',
    database: decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username),
  };
}
