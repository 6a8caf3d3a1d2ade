import { fileURLToPath } from 'node:url';
import { type Contender, type Endpoint } from '../contender.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';
import { running, startProcess } from './program.ts';

const MAIN = fileURLToPath(new URL('dist/main.js', `file://${process.cwd()}/`));
const API_KEY = 'key_bench.0123456789abcdef0123456789abcdef';
const PLENTY = '1000000';

/** The real thing: what `npm start` starts, with its log on disk; only the limits on one address and one key are raised. */
const ENV = {
  NODE_ENV: 'production',
  PORT: '0',
  HOST: '127.0.0.1',
  SIGNALBOX_API_KEY: API_KEY,
  SIGNALBOX_LOG_LEVEL: 'silent',
  SIGNALBOX_HANDSHAKE_TIMEOUT_MS: '60000',
  SIGNALBOX_MAX_CONNECTIONS_PER_ADDRESS: PLENTY,
  SIGNALBOX_CONNECTS_PER_SECOND: PLENTY,
  SIGNALBOX_PUBLISHES_PER_SECOND_PER_KEY: PLENTY,
  SIGNALBOX_MINTS_PER_SECOND: PLENTY,
  // Channels are made and tokens minted over one connection.
  SIGNALBOX_MAX_OPERATIONS_PER_CONNECTION: '1000',
};

export function signalbox(name: string, label: string, operationIds: Endpoint['operationIds']): Contender {
  return {
    name,
    label,
    async start(env = {}) {
      const folder = createTemporaryFolder();
      const { child, told: port } = await startProcess(process.execPath, [MAIN], {
        env: { ...ENV, SIGNALBOX_DATA: folder.path, ...env },
        isUp(said) {
          const port = /listens on http:\/\/\S+:(\d+)\/graphql/.exec(said)?.[1];
          return port === undefined ? undefined : Number(port);
        },
      });
      const endpoint: Endpoint = {
        port,
        pid: child.pid!,
        dialect: 'graphql',
        subscribePath: '/graphql',
        publishPath: '/graphql',
        operationIds,
        apiKey: API_KEY,
      };
      return running(child, endpoint, { after: () => folder[Symbol.dispose]() });
    },
  };
}
