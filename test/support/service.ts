import { createClient, type Client, type ClientOptions } from 'graphql-ws';
import { pino, type Logger } from 'pino';
import { WebSocket } from 'ws';
import { defaultConfig, type Config, type Secrets } from '../../src/config.ts';
import { startService as start, type Overrides, type Service } from '../../src/service.ts';

export const API_KEY = 'key_test.Zm9yIHRlc3RzIG9ubHkgMzIgYnl0ZXMgb2Yga2V5ISE';

/** Clients of a running service, in this process or in another one. */
export interface ServiceClient {
  readonly url: string;
  readonly wsUrl: string;
  /**
   * Executes an operation over HTTP and resolves to its data. Rejects if the operation has errors.
   *
   * @param bearer the credential. Default: the API key of the tests; null means none.
   */
  request<T = any>(query: string, variables?: object, bearer?: string | null): Promise<T>;
  /** As `request`, but resolves to the whole answer, with its errors. */
  ask(query: string, variables?: object, bearer?: string | null): Promise<Answer>;
  /** Creates a plain graphql-ws client, which is disposed together with this object. */
  client(connectionParams?: ClientOptions['connectionParams'], options?: Partial<ClientOptions>): Client;
}

/** A service in this process, with its clients. */
export interface TestService extends ServiceClient, AsyncDisposable {
  readonly service: Service;
  readonly apiKey: string;
}

export interface Answer {
  data?: any;
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[];
}

export const silentLogger: Logger = pino({ level: 'silent' });

/** Starts a service on a free port, with an in-memory store and a silent logger. */
export async function startService(
  config: Partial<Config> = {},
  overrides: Overrides = {},
): Promise<TestService> {
  return startWith(config, await databaseOf(config), overrides);
}

/** As `startService`, on a database of PostgreSQL. Several services on one database are nodes of a cluster. */
export const startServiceOnPostgres = (
  databaseUrl: string,
  config: Partial<Config> = {},
  overrides: Overrides = {},
): Promise<TestService> => startWith(config, { databaseUrl, masterKeys: MASTER_KEYS }, overrides);

const MASTER_KEYS = ['the-master-key-of-the-tests-on-postgres'];

async function startWith(
  config: Partial<Config>,
  secrets: Secrets,
  overrides: Overrides = {},
): Promise<TestService> {
  const service = await start(
    defaultConfig({ port: 0, data: ':memory:', mode: 'test', privateProviders: 'on', ...config }),
    { apiKey: API_KEY, ...secrets },
    { logger: silentLogger, ...overrides },
  );
  const client = createServiceClient(service.url);

  return {
    service,
    apiKey: API_KEY,
    ...client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

/** Whether the services of the tests keep their rows in PostgreSQL: see `npm run test:postgres`. */
export const isOnPostgres = process.env['SIGNALBOX_TEST_STORE'] === 'postgres';

/**
 * With `SIGNALBOX_TEST_STORE=postgres`, the services of the tests keep their rows in PostgreSQL: a data folder stands for a
 * database, and each service without one gets a new database.
 */
async function databaseOf({ data = ':memory:' }: Partial<Config>): Promise<Secrets> {
  if (!isOnPostgres) return {};
  const { sharedPostgres } = await import('./postgres.ts');
  const known = databases.get(data);
  const url = known ?? (await (await sharedPostgres()).createDatabase());
  if (data !== ':memory:') databases.set(data, url);
  return { databaseUrl: url, masterKeys: MASTER_KEYS };
}

/** The databases that stand for data folders. */
const databases = new Map<string, string>();

/** Creates the clients of a service. Disposing the object disposes every graphql-ws client that it created. */
export function createServiceClient(url: string): ServiceClient & AsyncDisposable {
  const clients: Client[] = [];
  const wsUrl = `${url.replace('http', 'ws')}/graphql`;

  async function ask(
    query: string,
    variables: object = {},
    bearer: string | null = API_KEY,
  ): Promise<Answer> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as Answer;
  }

  return {
    url,
    wsUrl,
    ask,
    async request<T>(query: string, variables?: object, bearer?: string | null) {
      const { data, errors } = await ask(query, variables, bearer);
      if (errors) throw new Error(`${errors.map(({ message }) => message).join('; ')} — ${query}`);
      return data as T;
    },
    client(connectionParams = { apiKey: API_KEY }, options = {}) {
      const client = createClient({
        url: wsUrl,
        webSocketImpl: WebSocket,
        connectionParams,
        retryAttempts: 0,
        ...options,
      });
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.dispose();
    },
  };
}
