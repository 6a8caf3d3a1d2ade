import { fileURLToPath } from 'node:url';
import { type Contender, type Endpoint } from '../contender.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';
import { running, startProcess } from './program.ts';

const MAIN = fileURLToPath(new URL('dist/main.js', `file://${process.cwd()}/`));
const API_KEY = 'key_bench.Zm9yIGJlbmNobWFya3Mgb25seSAzMiBieXRlcyBrZXk';
const UNLIMITED = '1000000';

/** The built service, started as `npm start` starts it, with its log on disk. Only limits per address, key and connection are raised. */
const ENV = {
  NODE_ENV: 'production',
  PORT: '0',
  HOST: '127.0.0.1',
  SIGNALBOX_API_KEY: API_KEY,
  SIGNALBOX_LOG_LEVEL: 'silent',
  SIGNALBOX_HANDSHAKE_TIMEOUT_MS: '60000',
  SIGNALBOX_MAX_CONNECTIONS_PER_ADDRESS: UNLIMITED,
  SIGNALBOX_CONNECTS_PER_SECOND: UNLIMITED,
  SIGNALBOX_PUBLISHES_PER_SECOND_PER_KEY: UNLIMITED,
  SIGNALBOX_CREDENTIALS_PER_SECOND: UNLIMITED,
  // One connection creates all channels and tokens.
  SIGNALBOX_MAX_OPERATIONS_PER_CONNECTION: '1000',
};

export function signalbox(name: string, label: string, operationIds: Endpoint['operationIds']): Contender {
  return {
    name,
    label,
    async start(env = {}) {
      const folder = createTemporaryFolder();
      const { child, announced: port } = await startNode({ SIGNALBOX_DATA: folder.path, ...env });
      const endpoint = { ...SIGNALBOX, operationIds, port, pid: child.pid! };
      return running(child, endpoint, { after: () => folder[Symbol.dispose]() });
    },
  };
}

export const SIGNALBOX = {
  protocol: 'graphql',
  subscribePath: '/graphql',
  publishPath: '/graphql',
  operationIds: 'shared',
  apiKey: API_KEY,
} as const satisfies Partial<Endpoint>;

/** Starts the built service and waits until it listens. */
export function startNode(env: Readonly<Record<string, string>>) {
  return startProcess(process.execPath, [MAIN], {
    env: { ...ENV, ...env },
    parseOutput(output) {
      const port = /listens on http:\/\/\S+:(\d+)\/graphql/.exec(output)?.[1];
      return port === undefined ? undefined : Number(port);
    },
  });
}
