import { type Contender, type RunningServer } from '../contender.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';
import { postgresPrograms, startPostgres } from './postgres.ts';
import { running } from './program.ts';
import { SIGNALBOX, startNode } from './signalbox.ts';

const MASTER_KEY = 'the-master-key-of-the-benchmark-only';

/** `count` nodes on a PostgreSQL server of their own. */
export function cluster(
  name: string,
  label: string,
  count: number,
  options: { disk?: string; hasStandby?: boolean } = {},
): Contender {
  return {
    name,
    label,
    missing: () =>
      postgresPrograms() === undefined
        ? 'PostgreSQL is not installed. On Debian, install postgresql.'
        : undefined,
    async start(env = {}) {
      const database = await startPostgres(options);
      const folder = createTemporaryFolder();
      const settings = {
        ...env,
        SIGNALBOX_DATA: folder.path,
        SIGNALBOX_DATABASE_URL: database.url,
        SIGNALBOX_MASTER_KEY: MASTER_KEY,
      };
      const servers: RunningServer[] = [];
      for (let index = 0; index < count; index++) {
        const { child, announced: port } = await startNode(settings);
        servers.push(running(child, { ...SIGNALBOX, port, pid: child.pid! }));
      }
      const nodes = servers.map(({ endpoint: { port, pid } }) => ({ port, pid }));
      return {
        endpoint: { ...SIGNALBOX, ...nodes[0]!, nodes },
        async [Symbol.asyncDispose]() {
          for (const server of servers) await server[Symbol.asyncDispose]();
          await database[Symbol.asyncDispose]();
          folder[Symbol.dispose]();
        },
      };
    },
  };
}
